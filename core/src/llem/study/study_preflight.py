"""What refuses a study on this machine, before its first run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from llem.api.capability import HostInfo
from llem.config.load import LoadedExperiment
from llem.errors import ConfigError, ConfigInvalid, Finding, HostError, counted, findings_of_error
from llem.registry import Registry
from llem.run.metering import ChosenMeters, choose_meters
from llem.run.preflight import prepare, read_prompts
from llem.schema.measurement import MeasurementConfig
from llem.study.study_plan import StudyPlan
from llem.workload.prompt import LoadedPrompts


def refuse_here(
    plan: StudyPlan,
    registry: Registry,
    host: HostInfo,
    experiments: Iterable[int] | None = None,
) -> dict[str, Sequence[Finding]]:
    """Check experiments of a study on this machine; return the warnings of each by its id.

    Args:
        plan: The study.
        registry: The installed plugins.
        host: This machine.
        experiments: Their numbers; all of them by default.

    Raises:
        ConfigInvalid: This machine, or a file on it, refuses an experiment: no run is made.
    """
    asked = _Asked()
    warnings: dict[str, Sequence[Finding]] = {}
    refused: dict[str, tuple[Finding, ...]] = {}
    for number in range(len(plan.ids)) if experiments is None else experiments:
        point = plan.study.point(plan.points(number)[0])
        if point.loaded is None:  # its model was removed since the study was planned
            refused[plan.ids[number]] = point.refusals
            continue
        try:
            warnings[plan.ids[number]] = asked.warnings(point.loaded, registry, host)
        except ConfigError as error:
            refused[plan.ids[number]] = findings_of_error(error)
        except HostError:  # its run fails with the same, and the others do not
            continue
    if refused:
        findings = dict.fromkeys(finding for found in refused.values() for finding in found)
        hint = (
            f"{len(refused):,} of {counted(len(plan.ids), 'experiment')} cannot run here, so none "
            "is run: remove their points, or mend what is named."
        )
        raise ConfigInvalid(list(findings), hint=hint)
    return warnings


class _Asked:
    """Prepares experiments; what they share is asked once.

    Of an answer only remarks and the refusal are kept: prompts can be large.
    """

    def __init__(self) -> None:
        self._answers: dict[object, LoadedPrompts | ConfigError | None] = {}
        self._chosen: dict[str, ChosenMeters] = {}

    def warnings(
        self, loaded: LoadedExperiment, registry: Registry, host: HostInfo
    ) -> Sequence[Finding]:
        """Return the warnings of an experiment that nothing refuses.

        Raises:
            ConfigError: The experiment is refused; every reason is named.
        """
        return prepare(loaded, registry, host, read=self._read, choose=self._choose).warnings

    def _read(self, loaded: LoadedExperiment) -> LoadedPrompts | None:
        experiment = loaded.experiment
        key = (
            loaded.base_dir,
            experiment.workload.model_dump_json(),
            experiment.model,
            experiment.decoder.min_new_tokens,
            experiment.ignores_eos,
        )

        def ask() -> LoadedPrompts | None:
            prompts = read_prompts(loaded)
            return prompts and replace(prompts, prompts=(), encoded=None)

        return self._once(key, ask)

    def _choose(self, registry: Registry, measurement: MeasurementConfig) -> ChosenMeters:
        key = measurement.model_dump_json()

        def ask() -> None:
            self._chosen[key] = choose_meters(registry, measurement)

        self._once(key, ask)
        return self._chosen[key]

    def _once(self, key: object, ask: Callable[[], LoadedPrompts | None]) -> LoadedPrompts | None:
        if key not in self._answers:
            try:
                self._answers[key] = ask()
            except ConfigError as error:
                self._answers[key] = error
        answer = self._answers[key]
        if isinstance(answer, ConfigError):
            raise answer
        return answer
