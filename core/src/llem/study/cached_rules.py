"""Say which rules the points of a grid break."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.capability import BackendInfo
from llem.config.rule_checks import finding_of, rules_about, unsupported_fields
from llem.errors import Finding
from llem.schema.experiment import BackendConfig, Experiment
from llem.study.predicate_cache import Answers


class Rulings:
    """Says which rules the points of a grid break.

    Args:
        backend: Name of the grid's backend.
        section: Model of the backend's own section.
        info: What the backend declares.
    """

    def __init__(self, backend: str, section: type[BackendConfig], info: BackendInfo) -> None:
        self._info = info
        self._rules = rules_about(backend, section, "error")
        # Rules are pure.
        self._answers = Answers(
            [
                *(rule.is_broken_by for rule in self._rules),
                lambda experiment: any(True for _ in unsupported_fields(experiment, info)),
            ]
        )

    def on(self, experiment: Experiment) -> tuple[Finding, ...]:
        """Return an error for whatever ``experiment`` asks for and cannot get."""
        broken = self._answers.yes(experiment)
        return tuple(self._findings(broken, experiment)) if broken else ()

    def _findings(self, broken: Sequence[int], experiment: Experiment) -> list[Finding]:
        rules = [self._rules[number] for number in broken if number < len(self._rules)]
        found = [finding_of(rule, experiment) for rule in rules]
        if broken[-1] == len(self._rules):
            found += unsupported_fields(experiment, self._info)
        return found
