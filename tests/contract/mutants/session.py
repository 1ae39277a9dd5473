"""Sessions with a fault each."""

from dataclasses import replace

from mutants.mutation import HOOKS, config, session
from mutants.parts import SampleConfig, SampleSession

from llem.api.session import Observation
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import Rule

__all__ = ["HOOKS"]


@config
class session_experiment(SampleConfig):
    """It refuses the smallest model, and the suite names no other."""

    rules = (
        Rule(
            "sample-no-shapes",
            ("model.id",),
            "an embedded shape is too small",
            "Name another model.",
            lambda experiment, section: experiment.model.is_shape,
        ),
    )


@session
class session_lives(SampleSession):
    """It cannot run."""

    def run(self):
        raise RuntimeError("out of order")


@session
class session_follows_plan(SampleSession):
    """It makes other calls than those of its plan."""

    def open(self, plan):
        load = replace(plan.call("load"), target="mutants.engine.Model")
        return super().open(CallPlan((load,), plan.settings))


@session
class session_opened(SampleSession):
    """It does not report its engine."""

    def open(self, plan):
        return replace(super().open(plan), engine_version="")


@session
class session_tokens(SampleSession):
    """It generates more than the limit."""

    def answer(self, request):
        return super().answer(replace(request, max_new_tokens=request.max_new_tokens + 1))


@session
class session_times(SampleSession):
    """A request ends after its window."""

    def run(self):
        return replace(super().run(), finished_s=0.0)


@session
class session_repeatable(SampleSession):
    """A repetition depends on the repetitions before it."""

    count = 0

    def run(self):
        self.count += 1
        return super().run()

    def answer(self, request):
        found = super().answer(request)
        return replace(found, output_ids=[self.count for _ in found.output_ids])

    def reopen(self, plan):
        self.count = 0


@session
class session_silent(SampleSession):
    """It prints inside windows."""

    def run(self):
        print("working hard")
        return super().run()


@session
class session_observes(SampleSession):
    """Observing raises."""

    def observe(self):
        raise AttributeError("this version has no such attribute")


@session
class session_observed(SampleSession):
    """It observes names that the plan does not have."""

    def observe(self):
        return Observation({"threads": self.model.threads})


@session
class session_reopens(SampleSession):
    """Reopening loses the model."""

    def reopen(self, plan):
        self.model = None


@session
class session_closes(SampleSession):
    """It cannot be closed twice."""

    def close(self):
        if hasattr(self, "model"):
            del self.requests


@session
class session_closes_unopened(SampleSession):
    """It cannot be closed after an open that failed."""

    def close(self):
        self.model.threads = 0
