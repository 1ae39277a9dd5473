"""`llem compare` as a user types it."""

import json

import pytest
from click.testing import CliRunner

from llem.cli import main
from llem.report.metrics import DEFAULT_METRICS

from .outcomes import write


@pytest.fixture
def llem(tmp_path, monkeypatch):
    """Return a function that runs `llem compare` beside the folders `a`, `b` and `grid`."""
    write(tmp_path, "a", (10.0, 10.05, 9.95), some__bits=None)
    write(tmp_path, "b", (12.0, 12.05, 11.95), some__bits=4)
    for bits, total in ((None, 10.0), (4, 9.0), (8, 9.5)):
        for size in (1, 2):
            joules = (total, total + 0.05, total - 0.05)
            write(tmp_path / "grid", f"{bits}-{size}", joules, some__bits=bits, some__batch=size)
    monkeypatch.chdir(tmp_path)

    def llem(*arguments, code=0):
        result = CliRunner().invoke(main, ["compare", *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return llem


def test_text_begins_with_the_answer(llem):
    text = llem("a", "b", "--metric", "j_per_output_token").stdout
    assert text.startswith("bits=4 against bits=null\n  energy per output token: +20.00 % (95 %")
    assert "worse\n" in text
    assert "some.bits  null    4\n" in text
    assert "each side is one experiment" in text


def test_json_has_every_default_metric(llem):
    document = json.loads(llem("a", "b", "--json").stdout)
    assert [part["metric"] for part in document["comparisons"]] == list(DEFAULT_METRICS)
    first, second = document["comparisons"]
    assert first["change_ratio"]["estimate"] == pytest.approx(0.2, abs=1e-4)
    assert first["base_values"] == pytest.approx([0.1, 0.1005, 0.0995])
    assert first["found"]
    assert not second["found"]
    assert "gate" not in document


def test_markdown_is_inert(llem, tmp_path):
    name = "<script>alert(1)</script>|`*"
    write(tmp_path, "evil", model__id=name)
    text = llem("a", "evil", "--markdown").stdout
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\`\\*" in text


def test_variants_within_a_study(llem):
    document = json.loads(llem("grid", "--by", "some.bits", "--json").stdout)
    seen = [
        (comparison["held"], comparison["variant"]) for comparison in document["comparisons"][::2]
    ]
    assert ({"some.batch": 2}, {"some.bits": 8}) in seen
    assert len(seen) == 4
    text = llem("grid", "--by", "some.bits", "--baseline", "8", "--where", "some.batch=1").stdout
    assert "bits=null against bits=8 at" not in text
    assert "bits=4 against bits=8\n" in text


@pytest.mark.parametrize(
    ("limit", "code", "state"),
    [
        ("j_per_output_token > +3%", 6, "failed"),
        ("j_per_output_token > +30%", 0, "passed"),
        ("j_per_output_token > +20%", 7, "inconclusive"),
    ],
)
def test_the_gate_has_exit_codes(llem, limit, code, state):
    assert f"gate {state}: " in llem("a", "b", "--fail-if", limit, code=code).stdout
    document = json.loads(llem("a", "b", "--fail-if", limit, "--json", code=code).stdout)
    assert document["gate"]["state"] == state
    assert [comparison["metric"] for comparison in document["comparisons"]] == [
        "j_per_output_token"
    ]
    assert f"gate {state}" in llem("a", "b", "--fail-if", limit, "--markdown", code=code).stdout


def test_what_cannot_be_compared_is_refused(llem, tmp_path):
    write(tmp_path, "other", input_hash="def")
    result = llem("a", "other", code=2)
    assert "input-differs: hash of the input tokens: abc against def" in result.stderr
    assert "--allow input-differs" in result.stderr
    assert "allowed although input-differs" in llem("a", "other", "--allow", "input-differs").stdout
    assert "What varies: some.bits, some.batch" in llem("grid", "--by", "x", code=2).stderr
    assert "Codes: input-differs" in llem("a", "b", "--allow", "x", code=2).stderr
    assert "not both" in llem("a", "b", "--by", "x", code=2).stderr
    (tmp_path / "empty").mkdir()
    assert "there is no outcome in empty" in llem("a", "empty", code=4).stderr
    assert "there is no folder missing" in llem("a", "missing", code=4).stderr
