"""What other tools measured, beside what llem measured."""

import pytest

from llem.errors import NotComparable
from llem.report.comparison.comparison import compare
from llem.report.comparison.render_comparison import text
from llem.report.load_outcomes import StoredOutcome, with_settings
from llem.report.metrics import METRICS
from llem.report.study_report.content import build_report
from llem.report.study_report.evidence import recipes
from llem.report.study_report.html_page import html_page
from llem.report.study_report.markdown_page import markdown_page
from llem.report.study_report.summary import Rates
from llem.schema.outcome import Imported, Outcome

from .outcomes import document, stored

SPEED = [METRICS["output_tokens_per_s"]]


def imported(id, figures, repetitions=None):
    """Return an imported outcome with the given figures."""
    data = document(id, reasons=("imported",), engine="other")
    for section in ("energy", "throughput", "latency", "tokens", "workload", "timing"):
        data.pop(section, None)
    outcome = Outcome.model_validate(data)
    part = Imported(
        tool="toybench", tool_version="3", format="toy", file="old.json", file_sha256="0",
        metrics=figures, repetitions=repetitions or {},
    )  # fmt: skip
    return StoredOutcome(stored(id).folder, outcome.model_copy(update={"imported": part}))


OLD = imported("old", {"output_tokens_per_s": 80.0}, {"output_tokens_per_s": (79.0, 80.0, 81.0)})
NEW = stored("new", (10.0, 10.0, 10.0), durations_s=[1.0, 1.01, 0.99])


def test_it_is_compared_only_when_that_is_allowed():
    with pytest.raises(NotComparable, match="old: imported") as caught:
        compare([OLD], [NEW], SPEED)
    assert "--allow imported" in caught.value.hint


def test_its_repetitions_give_an_interval():
    answer = compare([OLD], [NEW], SPEED, allow=["imported"])
    (comparison,) = answer.comparisons
    assert comparison.samples.base == (79.0, 80.0, 81.0)
    assert comparison.change.interval().estimate == pytest.approx(0.25, abs=0.01)
    assert comparison.found


def test_a_single_figure_is_compared_without_an_interval():
    old = imported("old", {"output_tokens_per_s": 80.0})
    (comparison,) = compare([old], [NEW], SPEED, allow=["imported"]).comparisons
    assert comparison.samples.base == (80.0,)
    assert comparison.p is None


def test_the_answer_says_whose_figures_these_are():
    answer = compare([OLD], [NEW], SPEED, allow=["imported"])
    shown = text(answer)
    assert shown.startswith("llem's figures against those of toybench\n")
    assert "allowed although imported: figures of toybench 3: nothing tells whether" in shown


def test_a_figure_that_the_tool_does_not_tell_is_missing_and_not_zero():
    answer = compare([OLD], [NEW], [METRICS["j_per_output_token"]], allow=["imported"])
    assert answer.comparisons == ()
    assert answer.missing == ("j_per_output_token of llem's figures against those of toybench",)


def test_each_variant_is_compared_with_it_by_its_settings():
    grid = [stored(f"new{size}", durations_s=[1.0, 1.1, 1.2], some__size=size) for size in (1, 2)]
    answer = compare([OLD], grid, SPEED, allow=["imported"])
    assert [comparison.match.name for comparison in answer.comparisons] == [
        "llem's figures against those of toybench at size=1",
        "llem's figures against those of toybench at size=2",
    ]


def test_a_condition_on_llems_settings_keeps_what_another_tool_measured():
    grid = [stored(f"new{size}", durations_s=[1.0, 1.1, 1.2], some__size=size) for size in (1, 2)]
    assert with_settings([OLD, *grid], ["some.size=2"]) == [OLD, grid[1]]
    (comparison,) = compare(
        with_settings(grid, ["some.size=2"]), [OLD], SPEED, allow=["imported"]
    ).comparisons
    assert comparison.match.name == "toybench's figures against those of llem"
    with pytest.raises(NotComparable, match=r"no outcome has model\.id=other"):
        with_settings([OLD], ["model.id=other"])


def test_another_invalid_outcome_is_not_let_in_with_it():
    bad = stored("bad", reasons=("throttled",))
    with pytest.raises(NotComparable, match="bad: throttled"):
        compare([OLD], [bad], SPEED, allow=["imported"])


def test_a_report_shows_it_in_the_table_and_gives_no_recipe():
    report = build_report("both", [OLD, NEW], Rates())
    shown = html_page(report)
    assert 'value="80.0" data-from="old#output_tokens_per_s"' in shown
    assert "| old |" in markdown_page(report)
    assert [recipe.ids for recipe in recipes(report.outcomes)] == [("new",)]
