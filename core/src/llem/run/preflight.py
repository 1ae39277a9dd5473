"""What refuses an experiment before anything is started: the same for every command."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from llem.api.capability import HostInfo
from llem.api.meters import Meter, MeterSpec
from llem.config.load import LoadedExperiment
from llem.config.model_files import generation_remarks, stated_context_tokens
from llem.config.rule_checks import unmet_conditions
from llem.errors import (
    ConfigError,
    ConfigInvalid,
    Finding,
    HostError,
    LlemError,
    PluginBroken,
    findings_of_error,
)
from llem.process.worker_process import interpreter
from llem.registry import Backend, Registry
from llem.run.host_info import seen_by_worker
from llem.run.metering import ChosenMeters, choose_meters
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import Experiment, RunnerConfig
from llem.schema.measurement import MeasurementConfig
from llem.workload.build_workload import longest_request_tokens
from llem.workload.chat_template import present_time
from llem.workload.prompt import LoadedPrompts
from llem.workload.prompt_sources import load_prompts, with_decoder
from llem.workload.shape_folder import shape_folder
from llem.workload.tokenizing import encode_in_host


def plan_for(loaded: LoadedExperiment) -> CallPlan:
    """Return the call plan of ``loaded``; nothing is written, imported or started."""
    return loaded.backend.build_plan(with_shape_folder(loaded.experiment))


def with_shape_folder(experiment: Experiment) -> Experiment:
    """Return ``experiment`` with a shape's name replaced by its folder and random weights."""
    if not experiment.model.is_shape:
        return experiment
    folder = str(shape_folder(experiment.model.id))
    model = experiment.model.model_copy(update={"id": folder, "weights": "random"})
    return experiment.model_copy(update={"model": model})


@dataclass(slots=True)
class Prepared:
    """An experiment that nothing refuses.

    Attributes:
        plan: The engine's calls.
        prompts: The prompts, or ``None`` for a synthetic workload.
        meters: The meters to use.
        unmetered: Device kinds on this machine that no meter reads, and why.
        warnings: What is worth knowing about it.
    """

    plan: CallPlan
    prompts: LoadedPrompts | None = None
    meters: Sequence[tuple[MeterSpec, Meter]] = ()
    unmetered: Mapping[str, str] = field(default_factory=dict)
    warnings: list[Finding] = field(default_factory=list)


def read_prompts(loaded: LoadedExperiment, now: datetime | None = None) -> LoadedPrompts | None:
    """Read, check and encode the prompts of ``loaded``; ``None`` for a synthetic workload.

    Args:
        loaded: The validated experiment.
        now: The local time that chat templates see; by default, the present time.

    Raises:
        WorkloadError: They cannot be had, or tokenizer or chat template cannot be used.
        HostError: A library failed on them in a way of its own.
    """
    workload, model = loaded.experiment.workload, loaded.experiment.model
    try:
        found = load_prompts(workload, loaded.base_dir)
        if found is not None:
            found = with_decoder(
                found,
                min_new_tokens=loaded.experiment.decoder.min_new_tokens,
                ignore_eos=loaded.experiment.ignores_eos,
            )
        texts = None if found is None else found.prompts
        encoded = encode_in_host(workload, model, texts, now or present_time())
    except LlemError:
        raise
    except Exception as error:
        raise HostError.of(error) from error
    if found is None or encoded is None:
        return found
    return replace(found, encoded=encoded, remarks=found.remarks + encoded.remarks)


def prepare(
    loaded: LoadedExperiment,
    registry: Registry,
    host: HostInfo,
    *,
    read: Callable[[LoadedExperiment], LoadedPrompts | None] = read_prompts,
    choose: Callable[[Registry, MeasurementConfig], ChosenMeters] = choose_meters,
) -> Prepared:
    """Collect whatever refuses ``loaded`` on this machine; return what its run starts from.

    The order is fixed: the plan, the machine, the interpreter, the prompts, the meters.
    :func:`require_engine` comes last: a config can be checked where its engine is not installed.

    Args:
        loaded: The validated experiment.
        registry: The installed plugins.
        host: This machine.
        read: Reads and checks the prompts.
        choose: Chooses the meters.

    Raises:
        ConfigError: The experiment is refused; every reason is named.
        HostError: A library failed.
    """
    experiment, prepared = loaded.experiment, Prepared(CallPlan(()))
    host = seen_by_worker(host, experiment.runner.env)
    refusals: list[ConfigError] = []

    @contextmanager
    def collected() -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            refusals.append(error)

    with collected():
        prepared.plan = plan_for(loaded)
    prepared.warnings += loaded.warnings
    with collected():
        prepared.warnings += review(loaded, host)
    with collected():
        _require_interpreter(experiment.runner)
    with collected():
        prepared.prompts = read(loaded)
        remarks = prepared.prompts.remarks if prepared.prompts else ()
        prepared.warnings += [
            Finding("prompts-remark", remark, severity="warning", path="workload")
            for remark in remarks
        ]
        prepared.warnings += _context_remarks(experiment, prepared.prompts)
    with collected():
        chosen = choose(registry, experiment.measurement)
        prepared.meters, prepared.unmetered = chosen.meters, chosen.unmetered
        prepared.warnings += chosen.warnings
    if len(refusals) > 1 or any(isinstance(error, ConfigInvalid) for error in refusals):
        findings = [each for error in refusals for each in findings_of_error(error)]
        raise ConfigInvalid(list(map(loaded.located, findings)))
    if refusals:
        raise refusals[0]
    prepared.warnings = list(map(loaded.located, prepared.warnings))
    return prepared


def require_engine(backend: Backend, *, elsewhere: bool) -> None:
    """Check that ``backend`` can measure in this environment.

    Args:
        backend: The backend.
        elsewhere: Whether `runner.python` names another environment, which its runs check.

    Raises:
        PluginBroken: The plugin offers no session, so it cannot measure.
        EngineMissing: The engine is not installed here.
    """
    if not backend.offers("llem_measurement"):
        raise PluginBroken(
            f"backend {backend.name!r} cannot measure: "
            f"{backend.distribution} {backend.version} offers no session",
            hint="Its config can be checked and explained; running it needs a newer version.",
        )
    if not elsewhere:
        backend.require_engine()


def review(loaded: LoadedExperiment, host: HostInfo) -> Sequence[Finding]:
    """Check the experiment against this machine, and let the backend check it; return the warnings.

    Raises:
        ConfigInvalid: The experiment is refused.
    """
    experiment = loaded.experiment
    unmet = list(unmet_conditions(experiment, host, packages=experiment.runner.python is None))
    if unmet:  # reading metadata takes milliseconds, and a study has thousands of experiments
        status = loaded.backend.engine_status()
        # Where the engine is elsewhere, so are the packages that it works with.
        packages = experiment.runner.python is None and (status is None or status.supported)
        unmet = list(unmet_conditions(experiment, host, packages=packages))
    findings = [
        *unmet,
        *loaded.backend.review(experiment, host),
        *generation_remarks(experiment),
    ]
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise ConfigInvalid(errors)
    return findings


def _context_remarks(experiment: Experiment, found: LoadedPrompts | None) -> Iterator[Finding]:
    """Yield a remark on requests that are longer than the model's config says it can read.

    A remark and no refusal: only the session says which limit holds, as engines may extend it.
    """
    stated = None if experiment.model.is_shape else stated_context_tokens(experiment.model)
    if stated is None or not (
        found.prompts if found else experiment.workload.source == "synthetic"
    ):
        return  # nothing to compare: a study keeps remarks on its prompts, and not the prompts
    longest = longest_request_tokens(
        experiment.workload,
        max_new_tokens=experiment.decoder.max_new_tokens,
        prompts=found.prompts if found else None,
        encoded=found.encoded if found else None,
    )
    if longest > stated:
        yield Finding(
            "beyond-context",
            f"a request takes {longest:,} tokens, prompt and output together, and the model's "
            f"config.json states {stated:,} positions",
            severity="warning",
            path="workload",
            hint="The run is refused after loading unless the engine extends the context.",
        )


def _require_interpreter(runner: RunnerConfig) -> None:
    """Check that the interpreter that ``runner`` names can be started.

    Raises:
        ConfigInvalid: There is no such program.
    """
    if runner.python is None:
        return
    name = interpreter(runner.python)
    if shutil.which(name, path=runner.env.get("PATH")) is None:
        message = f"there is no program {name} that can be started"
        hint = "Name the Python interpreter of the environment that has the engine."
        raise ConfigInvalid(
            [Finding("interpreter-missing", message, path="runner.python", hint=hint)]
        )
