"""Answer questions about many experiments, each only once for all that are alike to it.

A pure question's answer follows from what it reads, which is found by watching it. And of that,
only what differs between the experiments at all can make a difference. So questions are grouped by
those fields, of which there are few however many questions there are, and a group's answers are
kept by their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import is_not
from typing import Any, cast

from pydantic import BaseModel

from llem.schema.experiment import Experiment
from llem.study.read_tracker import Path, Watched

MAX_KEPT = 16_384
"""Answers that are kept, for each group, and sections that are known, of each name."""

Key = tuple[Any, ...]


@dataclass(slots=True)
class _Group:
    """Questions whose answers follow from the same values, and their answers so far.

    Attributes:
        questions: Their numbers.
        paths: What they read and what differs.
        answers: By the values there: these values, which must stay where they are in memory, and
            the questions that were answered with yes.
    """

    questions: Sequence[int]
    paths: Sequence[Path]
    answers: dict[Key, tuple[Sequence[Any], Sequence[int]]] = field(default_factory=dict)


class Answers:
    """Asks pure questions about experiments that share their sections.

    Args:
        questions: The questions.
    """

    def __init__(self, questions: Iterable[Callable[[Experiment], bool]]) -> None:
        self._questions = list(questions)
        self._reads: list[set[Path]] = [set() for _ in self._questions]
        self._differing: set[Path] = set()
        self._first: dict[str, Any] = {}
        self._known: dict[str, dict[int, Any]] = {}
        self._groups = [_Group(range(len(self._questions)), ())]

    def yes(self, experiment: Experiment) -> Sequence[int]:
        """Return the numbers of the questions whose answer is yes, in order."""
        if self._differs_anew(experiment):
            self._regroup()
        found: list[int] = []
        changed = False
        for group in self._groups:
            values = [_value(experiment, path) for path in group.paths]
            key = _key(values)
            answer = group.answers.get(key)
            if answer is None:
                yes = [number for number in group.questions if self._ask(number, experiment)]
                if any(self._paths(number) != group.paths for number in group.questions):
                    changed = True
                if len(group.answers) >= MAX_KEPT:
                    group.answers.clear()
                answer = group.answers[key] = (values, yes)
            found += answer[1]
        if changed:
            self._regroup()
        return sorted(found)

    def _ask(self, number: int, experiment: Experiment) -> bool:
        watched = Watched(experiment, self._reads[number])
        return self._questions[number](cast("Experiment", watched))

    def _paths(self, number: int) -> Sequence[Path]:
        return sorted(self._reads[number] & self._differing)

    def _regroup(self) -> None:
        """Group the questions anew; what was answered before did not know the new groups."""
        groups: dict[Key, list[int]] = {}
        for number in range(len(self._questions)):
            groups.setdefault(tuple(self._paths(number)), []).append(number)
        self._groups = [_Group(numbers, list(paths)) for paths, numbers in groups.items()]

    def _differs_anew(self, experiment: Experiment) -> bool:
        """Note where ``experiment`` is unlike the ones before; return whether that is news."""
        before = len(self._differing)
        for name, section in vars(experiment).items():
            known = self._known.setdefault(name, {})
            if id(section) in known:
                continue
            if len(known) >= MAX_KEPT:
                known.clear()
            known[id(section)] = section
            first = self._first.setdefault(name, section)
            if section is not first:
                self._differing.add((name,))
                self._differing.update((name, key) for key in _differences(first, section))
        return len(self._differing) > before


def _differences(one: Any, other: Any) -> Iterable[str]:
    """Return the fields in which a section is unlike another one."""
    if not isinstance(one, BaseModel) or type(one) is not type(other):
        return ()
    here, there = vars(one), vars(other)
    # Most values are the very same object, which is told fastest without a loop of our own.
    unlike = map(is_not, here.values(), map(there.__getitem__, here))
    return [name for name in compress(here, unlike) if not _is_alike(here[name], there[name])]


def _is_alike(one: Any, other: Any) -> bool:
    # 1, 1.0 and True are equal, but no rule has to take them for one another.
    return type(one) is type(other) and bool(one == other)


def _value(experiment: Experiment, path: Path) -> Any:
    value = vars(experiment)[path[0]]
    return value if len(path) == 1 else vars(value)[path[1]]


def _key(values: Sequence[Any]) -> Key:
    """Return what is equal for values that are alike; models are alike only to themselves."""
    return tuple([(type(value), value) if type(value) in _PLAIN else id(value) for value in values])


_PLAIN = frozenset({bool, int, float, str, type(None)})
