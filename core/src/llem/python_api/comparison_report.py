"""Compare outcomes: `llem compare`, as a function."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llem.errors import ConfigError, NotComparable
from llem.python_api.documents import override_texts, yaml_text
from llem.python_api.measure import StudyResult
from llem.report.comparison.comparison import ALLOWABLE_CODES, Comparison, ComparisonResult
from llem.report.comparison.comparison import compare as compare_sides
from llem.report.comparison.regression_gate import (
    LimitCheck,
    State,
    check_limits,
    overall,
    parse_limit,
)
from llem.report.comparison.render_comparison import document, markdown, text
from llem.report.load_outcomes import (
    StoredOutcome,
    only_varying,
    read_all,
    split_by,
    with_settings,
    without_copies,
)
from llem.report.metrics import DEFAULT_METRICS, metric
from llem.schema.outcome import Outcome

Outcomes = (
    Outcome | StudyResult | str | Path | Mapping[str, Any] | Iterable[Outcome | Mapping[str, Any]]
)
"""One side of a comparison: an outcome, a study, the folder of either or of many results, records
of :func:`llem.load_results`, or several of them."""


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """What a comparison found; as a text, what `llem compare` prints. A notebook shows Markdown.

    Attributes:
        result: Every comparison, what differs, and what was left out.
        checks: Whether each limit of `fail_if` is kept.
        gate: The worst of these states, inconclusive if nothing could be compared with a limit;
            ``None`` without limits.
    """

    result: ComparisonResult
    checks: tuple[LimitCheck, ...] = ()
    gate: State | None = None

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """One comparison for each match and metric."""
        return self.result.comparisons

    def __str__(self) -> str:
        return text(self.result, self.checks)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def to_markdown(self) -> str:
        """Return the report as Markdown, for a pull request."""
        return markdown(self.result, self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data, as `llem compare --json` prints it."""
        return document(self.result, self.checks)


def compare(
    base: Outcomes,
    new: Outcomes | None = None,
    *,
    by: str | None = None,
    baseline: Any = None,
    where: Mapping[str, Any] | Sequence[str] = (),
    metrics: Sequence[str] = (),
    allow: Collection[str] = (),
    detect_ratio: float = 0.05,
    fail_if: Sequence[str] = (),
) -> ComparisonReport:
    """Compare the outcomes in ``new`` with those in ``base``, or variants within ``base``.

    Args:
        base: Outcomes of the baseline.
        new: Outcomes of the other side, or ``None`` to compare within ``base``.
        by: Dotted path of the parameter to compare by, within ``base``; by default the only one
            that varies.
        baseline: Value of that parameter that is the baseline; by default, unset or off.
        where: Settings, by dotted path, that outcomes must have to take part.
        metrics: Names of the metrics; by default energy per output token and output tokens per s.
        allow: Codes of what may differ between the sides, and ``invalid`` to use outcomes whose
            verdict is not valid.
        detect_ratio: The relative change for which the report states how many values it takes.
        fail_if: Limits, such as ``j_per_output_token > +3%``; :attr:`ComparisonReport.gate` says
            whether they are kept.

    Raises:
        NotComparable: The sides did not do the same work, or have no outcome that may be used.
        ConfigError: A metric, code or limit does not exist.
        StorageError: A folder has no outcomes, or an unreadable one.
    """
    if new is not None and by is not None:
        raise NotComparable("give two sides, or one side and `by`; not both")
    return compare_stored(
        without_copies(_stored(base)),
        None if new is None else without_copies(_stored(new)),
        by=by,
        baseline=None if baseline is None else yaml_text(baseline),
        conditions=override_texts(where),
        metrics=metrics,
        allow=allow,
        detect_ratio=detect_ratio,
        limits=fail_if,
    )


def compare_stored(
    base: Sequence[StoredOutcome],
    new: Sequence[StoredOutcome] | None,
    *,
    by: str | None,
    baseline: str | None,
    conditions: Sequence[str],
    metrics: Sequence[str],
    allow: Collection[str],
    detect_ratio: float,
    limits: Sequence[str],
) -> ComparisonReport:
    """Compare two sides, or variants within ``base``; values are YAML, as on the command line."""
    if unknown := set(allow) - set(ALLOWABLE_CODES):
        raise ConfigError(
            f"{', '.join(sorted(unknown))}: no such code",
            hint=f"Codes: {', '.join(ALLOWABLE_CODES)}.",
        )
    parsed = [parse_limit(limit) for limit in limits]
    chosen = metrics or ([] if parsed else DEFAULT_METRICS)
    names = dict.fromkeys([*chosen, *(limit.metric.name for limit in parsed)])
    ours = with_settings(base, conditions)
    if new is None:
        ours, theirs = split_by(ours, by or only_varying(ours), baseline)
    else:
        theirs = with_settings(new, conditions)
    result = compare_sides(
        ours,
        theirs,
        [metric(name) for name in names],
        allow=allow,
        wanted_ratio=detect_ratio,
    )
    checks = tuple(check_limits(parsed, result.comparisons))
    return ComparisonReport(result, checks, overall(checks) if parsed else None)


def _stored(given: Outcomes) -> list[StoredOutcome]:
    """Return the outcomes of one side, each with its folder as far as it is known."""
    match given:
        case str() | Path():
            return read_all([Path(given).expanduser()])
        case StudyResult():
            return read_all([given.folder])
        case Outcome():
            return [StoredOutcome(Path(given.id), given)]
        case Mapping():
            return read_all([Path(given["folder"])])
        case Iterable():
            return [stored for item in given for stored in _stored(item)]
    raise ConfigError(f"a {type(given).__name__} is no outcome")
