"""Ask each rule only once for each combination of the sections that it reads.

A rule is pure, so its answer follows from what it reads. Which sections these are is found by
watching it; points that share them share the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from llem.api.capability import BackendInfo
from llem.api.config import BackendConfig, Experiment
from llem.api.finding import Finding
from llem.config.judge import dropped, finding_of, rules_about

MAX_KEPT = 16_384
"""Answers that are kept, for each set of sections."""


@dataclass(slots=True)
class _Group:
    """Questions that read the same sections, and their answers so far.

    Attributes:
        questions: Their numbers.
        answers: By the sections' places in memory: the sections themselves, which must stay
            where they are meanwhile, and the questions that were answered with yes.
    """

    questions: list[int]
    answers: dict[tuple[int, ...], tuple[list[Any], list[int]]] = field(default_factory=dict)


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
        self._questions: list[Callable[[Experiment], bool]] = [
            *(rule.violated for rule in self._rules),
            lambda experiment: any(True for _ in dropped(experiment, info)),
        ]
        self._groups: dict[tuple[str, ...], _Group] = {
            (): _Group(list(range(len(self._questions))))
        }

    def on(self, experiment: Experiment) -> tuple[Finding, ...]:
        """Return an error for whatever ``experiment`` asks for and cannot get."""
        broken: set[int] = set()
        values = experiment.__dict__
        for names, group in list(self._groups.items()):
            key = tuple([id(values[name]) for name in names])
            answer = group.answers.get(key)
            broken.update(self._ask(names, group, key, experiment) if answer is None else answer[1])
        return tuple(self._findings(sorted(broken), experiment)) if broken else ()

    def _ask(
        self, names: tuple[str, ...], group: _Group, key: tuple[int, ...], experiment: Experiment
    ) -> Sequence[int]:
        """Ask a group's questions; one that reads more than the group does changes groups."""
        broken = []
        for number in list(group.questions):
            watched = _Watched(experiment)
            # Rules see the same attributes as on the experiment itself.
            if self._questions[number](cast("Experiment", watched)):
                broken.append(number)
            if not watched.read <= set(names):
                self._move(number, group, tuple(sorted(watched.read.union(names))))
        if len(group.answers) >= MAX_KEPT:
            group.answers.clear()
        values = [experiment.__dict__[name] for name in names]
        stayed = [number for number in broken if number in group.questions]
        group.answers[key] = (values, stayed)
        return broken

    def _move(self, number: int, group: _Group, names: tuple[str, ...]) -> None:
        group.questions.remove(number)
        other = self._groups.setdefault(names, _Group([]))
        other.questions.append(number)
        # What was answered before did not know these questions.
        for changed in (group, other):
            changed.answers.clear()

    def _findings(self, broken: Sequence[int], experiment: Experiment) -> list[Finding]:
        rules = [self._rules[number] for number in broken if number < len(self._rules)]
        found = [finding_of(rule, experiment) for rule in rules]
        if broken[-1] == len(self._rules):
            found += dropped(experiment, self._info)
        return found


class _Watched:
    """An experiment that notes which of its sections are read."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self.read: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        sections = self._experiment.__dict__
        if name in sections:
            self.read.add(name)
            return sections[name]
        attribute = getattr(type(self._experiment), name, None)
        if isinstance(attribute, property) and attribute.fget is not None:
            return attribute.fget(self)
        # Whatever else it is may look at all of them.
        self.read.update(sections)
        return getattr(self._experiment, name)
