"""What refuses a study on this machine, before its first run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from llem.api.capability import HostInfo
from llem.config.load import LoadedExperiment
from llem.errors import ConfigError, ConfigInvalid, Finding, findings_of_error
from llem.registry import Registry
from llem.run.metering import choose_meters
from llem.run.preflight import ChosenMeters, prepare
from llem.schema.measurement import MeasurementConfig
from llem.schema.workload import Workload
from llem.study.study_plan import StudyPlan
from llem.workload.prompt_sources import load_texts


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
    if refused:
        findings = dict.fromkeys(finding for found in refused.values() for finding in found)
        hint = (
            f"{len(refused):,} of {len(plan.ids):,} experiments cannot run here, so none is run: "
            "remove their points, or mend what is named."
        )
        raise ConfigInvalid(list(findings), hint=hint)
    return warnings


class _Asked:
    """Prepares experiments; what they share is asked once.

    Nothing is kept of an answer but the refusal: prompts can be large.
    """

    def __init__(self) -> None:
        self._refusals: dict[object, ConfigError | None] = {}

    def warnings(
        self, loaded: LoadedExperiment, registry: Registry, host: HostInfo
    ) -> Sequence[Finding]:
        """Return the warnings of an experiment that nothing refuses.

        Raises:
            ConfigError: The experiment is refused; every reason is named.
        """

        def read_prompts(workload: Workload, *where: object) -> None:
            key = (workload.model_dump_json(), where)
            self._once(key, lambda: load_texts(workload, loaded.base_dir))

        def meters_for(registry: Registry, measurement: MeasurementConfig) -> ChosenMeters:
            key = measurement.model_dump_json()
            self._once(key, lambda: choose_meters(registry, measurement))
            return ()

        return prepare(
            loaded, registry, host, read_prompts=read_prompts, meters_for=meters_for
        ).warnings

    def _once(self, key: object, ask: Callable[[], object]) -> None:
        if key not in self._refusals:
            try:
                ask()
            except ConfigError as error:
                self._refusals[key] = error
            else:
                self._refusals[key] = None
        if (refusal := self._refusals[key]) is not None:
            raise refusal
