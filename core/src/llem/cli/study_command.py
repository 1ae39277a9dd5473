"""What commands do with a study file: plan it, list its experiments, run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from llem.cli.error_output import NOT_VALID
from llem.errors import ExperimentFailed, Interrupted, counted

if TYPE_CHECKING:
    from llem.config import LoadedExperiment
    from llem.config.source import Source
    from llem.errors import Finding
    from llem.registry import Registry
    from llem.study.journal import Entry, StudyProgress
    from llem.study.run_study import Summary
    from llem.study.study_plan import StudyPlan


class LoadOptions(NamedTuple):
    """The experiment or study that a command line means.

    The fields are those of :func:`llem.config.load_experiment` and
    :func:`llem.study.load_study.load_study`.
    """

    file: Source | None
    overrides: tuple[str, ...]
    backend: str | None
    model: str | None

    @property
    def is_study(self) -> bool:
        """Whether the file describes a study."""
        from llem.study.study_file import is_study

        return self.file is not None and is_study(self.file)


def load_options(
    file: Path | None, overrides: tuple[str, ...], backend: str | None, model: str | None
) -> LoadOptions:
    """Read ``file``, and return it with the other options.

    Raises:
        ConfigFileError: It cannot be read or parsed.
    """
    from llem.config.source import read_file

    source = None if file is None else read_file(file)
    return LoadOptions(source, overrides, backend, model)


def planned_study(registry: Registry, options: LoadOptions) -> StudyPlan:
    """Return the plan of a study file.

    Raises:
        ConfigInvalid: Every point is refused, or a config is wrong in any combination.
    """
    from llem.study.load_study import load_study
    from llem.study.study_plan import plan_study

    return plan_study(load_study(registry, **options._asdict()))


def checked_study(
    registry: Registry, options: LoadOptions
) -> tuple[StudyPlan, dict[str, Sequence[Finding]]]:
    """Return the plan of a study file that a run would carry out here, and warnings by experiment.

    Raises:
        ConfigError: A run would refuse the study, in the same words.
    """
    from llem.run.host_info import host_facts
    from llem.study.study_preflight import refuse_here

    plan = planned_study(registry, options)
    return plan, refuse_here(plan, registry, host_facts())


def experiments(plan: StudyPlan) -> Iterator[tuple[str, str, LoadedExperiment]]:
    """Yield each experiment once: its id, what tells it apart, and the experiment."""
    from llem.study.plan_summary import label

    for id, points in plan.experiments.items():
        loaded = plan.study.point(points[0]).loaded
        if loaded is not None:
            yield id, label(plan.study.differences(points[0])), loaded


class Output(NamedTuple):
    """What a command prints.

    Attributes:
        as_json: One document at the end, and nothing else.
        quiet: Nothing.
    """

    as_json: bool
    quiet: bool


_FLAGS = {
    "resume": "Continue a study that was begun before, or begin it.",
    "retry_failed": "With --resume: run failed runs again.",
    "accept_drift": "With --resume: continue although the study or a version has changed.",
    "take_over": "With --resume: continue although another machine may be running it.",
    "json_events": "Print one JSON line for each event of a study.",
}


def study_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags of studies; each is passed as a ``bool``."""
    for name, text in reversed(_FLAGS.items()):
        option = click.option(f"--{name.replace('_', '-')}", name, is_flag=True, help=text)
        command = option(command)
    return command


def refuse_study_flags(flags: Mapping[str, bool]) -> None:
    """Refuse flags of studies for a single experiment."""
    given = [f"--{name.replace('_', '-')}" for name, is_given in flags.items() if is_given]
    if given:
        raise click.UsageError(f"{', '.join(given)}: only for studies, and this is an experiment.")


def run_study_file(
    registry: Registry,
    options: LoadOptions,
    out: Path,
    output: Output,
    *,
    require_valid: bool,
    json_events: bool,
    **resume_options: bool,
) -> int:
    """Run a study; return the exit code."""
    from llem.study.run_study import ResumeOptions, run_study

    plan = planned_study(registry, options)
    with _progress(output, json_events=json_events) as progress:
        summary = run_study(plan, registry, out, progress, ResumeOptions(**resume_options))
    try:
        if output.as_json:
            click.echo(json.dumps(_document(summary), indent=2))
        elif not output.quiet and not json_events:
            click.echo(_sentence(summary))
    except OSError:
        click.echo(f"stored in {summary.folder}", err=True)
        raise
    if summary.interrupted:
        return Interrupted.exit_code
    if summary.stopped or summary.states["failed"]:
        return ExperimentFailed.exit_code
    return NOT_VALID if require_valid and summary.not_valid else 0


def _progress(output: Output, *, json_events: bool) -> AbstractContextManager[StudyProgress]:
    from llem.python_api.progress_display import study_live
    from llem.study.journal import NullStudyProgress

    if json_events:
        return nullcontext(JsonEvents())
    return nullcontext(NullStudyProgress()) if output.quiet or output.as_json else study_live()


def _document(summary: Summary) -> dict[str, Any]:
    return {
        "folder": str(summary.folder),
        "runs": summary.total,
        "states": dict(summary.states),
        "not_valid": summary.not_valid,
        "left": summary.left,
        "interrupted": summary.interrupted,
        "stopped": summary.stopped,
    }


def _sentence(summary: Summary) -> str:
    counts = ", ".join(f"{number:,} {state}" for state, number in summary.states.most_common())
    text = f"{counted(summary.total, 'run')}: {counts or 'none finished'}"
    if summary.not_valid:
        text += f", {summary.not_valid:,} of them not valid"
    if summary.left:
        why = "interrupted" if summary.interrupted else summary.stopped
        text += f"; {summary.left:,} left ({why}): continue with --resume"
    return f"{text}\nstored in {summary.folder}; llem results list {summary.folder} shows them"


class JsonEvents:
    """Prints one JSON line for each step, phase and repetition."""

    def phase(self, name: str, detail: str = "") -> None:
        """Print the phase."""
        _print({"event": "phase", "phase": name, "detail": detail})

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Print how far the windows are."""
        _print(
            {
                "event": "repetition",
                "done_s": done_s,
                "wanted_s": wanted_s,
                "output_tokens_per_s": output_tokens_per_s,
                "power_w": power_w,
            }
        )

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Print which run begins."""
        _print(
            {
                "event": "run-begins",
                "number": number,
                "total": total,
                "label": label,
                "left_s": left_s,
            }
        )

    def journal_event(self, entry: Entry) -> None:
        """Print the journal's entry as it is."""
        _print(entry)


def _print(event: dict[str, Any]) -> None:
    click.echo(json.dumps(event, ensure_ascii=False))
