"""The page: every number comes from the outcomes, and nothing in them acts."""

import math
import re
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest
from scipy import stats

from llem.report.formatting import number
from llem.report.study_report.content import build_report
from llem.report.study_report.html_page import html_page
from llem.report.study_report.markdown_page import markdown_page
from llem.report.study_report.summary import Rates

from .outcomes import document, place, stored

NUMBER = re.compile(r"\d[\d.,]*(?:e[+-]?\d+)?")
WHERE = {
    "j_per_output_token": "energy.j_per_output_token",
    "net_j_per_output_token": "energy.net_j_per_output_token",
    "j_per_request": "energy.j_per_request",
    "output_tokens_per_s": "throughput.output_tokens_per_s",
    "mean_w": "energy.mean_w",
    "ttft_s_p50": "latency.ttft_s.p50",
    "itl_s_p50": "latency.itl_s.p50",
    "e2e_s_p50": "latency.e2e_s.p50",
    "e2e_s_p99": "latency.e2e_s.p99",
}
"""Where each column of the table stands in a stored outcome."""


class Texts(HTMLParser):
    """Collects the numbers with a source, and all other text that is not an axis's."""

    def __init__(self):
        super().__init__()
        self.data, self.free, self.stack, self.tags = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag in {"meta", "input", "br", "link"}:
            return
        self.tags.append(tag)
        self.stack.append((tag, dict(attributes)))
        if tag == "data":
            self.data.append([float(dict(attributes)["value"]), dict(attributes)["data-from"], ""])

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop()[0] == tag

    def handle_data(self, text):
        tag, attributes = self.stack[-1] if self.stack else ("", {})
        if tag == "data":
            self.data[-1][2] += text
        elif tag not in {"style", "script"} and attributes.get("class") != "tick":
            self.free.append(text)


@pytest.fixture(scope="module")
def grid():
    random = np.random.default_rng(8)
    return [
        stored(
            f"run-{kind}-{size}-{block}",
            tuple(random.normal(energy / size, 0.1, 3)),
            durations_s=random.normal(1 / size, 0.01, 3).tolist(),
            some__kind=kind,
            some__size=size,
            place=place(block),
            gain=0.02,
            reasons=("throttled",) if (kind, size, block) == ("b", 2, 1) else (),
            environment={"started_at": f"2026-01-01T00:0{block}:{size}0+00:00"},
        )
        for kind, energy in (("a", 10.0), ("b", 7.0))
        for size in (1, 2, 4)
        for block in range(3)
    ]


@pytest.fixture(scope="module")
def report(grid):
    return build_report(
        "Study", grid, Rates(carbon_g_per_kwh=400, price_per_kwh=0.25, currency="EUR")
    )


@pytest.fixture(scope="module")
def texts(report):
    parser = Texts()
    parser.feed(html_page(report))
    assert parser.stack == []
    return parser


def at(stored_outcome, path):
    value = stored_outcome.outcome.model_dump(mode="json")
    for key in path.split("."):
        value = value[key]
    return value


def test_every_figure_of_the_table_is_the_stored_one(grid, texts):
    by_id = {run.outcome.id: run for run in grid}
    seen = 0
    for value, source, shown in texts.data:
        id, is_stored, name = source.partition("#")
        if is_stored:
            seen += 1
            assert value == at(by_id[id], WHERE[name])
            assert shown == number(value)
    assert seen == len(grid) * len(WHERE)


def test_every_summary_follows_from_the_stored_outcomes(grid, texts):
    by_id = {run.outcome.id: run for run in grid}
    names = set()
    for value, source, _ in texts.data:
        name, *ids = source.split(" ")
        if not name.startswith("summary."):
            continue
        names.add(name)
        runs = [by_id[id] for id in ids]
        gross = np.array([at(run, "energy.j_per_request") for run in runs])
        half = stats.sem(gross) * stats.t.ppf(0.975, len(gross) - 1)
        half = math.hypot(half, stats.norm.ppf(0.975) * 0.02 * gross.mean())
        expected = {
            "summary.gross_wh": gross.mean() / 3.6,
            "summary.low_wh": (gross.mean() - half) / 3.6,
            "summary.high_wh": (gross.mean() + half) / 3.6,
            "summary.net_wh": np.mean([at(run, "energy.net_j_per_request") for run in runs]) / 3.6,
            "summary.input_tokens": 5,
            "summary.output_tokens": 10,
            "summary.carbon_g": gross.mean() / 3.6 / 1000 * 400,
            "summary.cost": gross.mean() / 3.6 / 1000 * 0.25,
        }
        assert value == pytest.approx(expected[name])
    assert len(names) == 8


def test_every_effect_follows_from_the_stored_outcomes(grid, texts):
    effects = {source: value for value, source, _ in texts.data if source.startswith("effect.")}
    logs = []
    for size in (1, 2, 4):
        sides = []
        for kind in ("a", "b"):
            runs = [
                run for run in grid
                if run.outcome.experiment["some"] == {"kind": kind, "size": size}
                # One run of block 1 is not valid, so that its partner is in no pair.
                and (size, run.outcome.study.block) != (2, 1)
            ]  # fmt: skip
            sides.append(np.mean([at(run, "energy.j_per_output_token") for run in runs]))
        logs.append(math.log(sides[1] / sides[0]))
    found = [effects[f'effect.{end} some.kind "b" j_per_output_token'] for end in
             ("estimate", "low", "high")]  # fmt: skip
    half = stats.sem(logs) * stats.t.ppf(0.975, 2)
    expected = [math.expm1(np.mean(logs) + shift) for shift in (0, -half, half)]
    assert found == pytest.approx(expected)


def deviations(grid):
    """Return how far each run is from its variant's geometric mean, as the order's marks say."""
    found = set()
    for path in (WHERE["j_per_output_token"], WHERE["output_tokens_per_s"]):
        groups = {}
        for run in [run for run in grid if run.outcome.verdict.valid]:
            groups.setdefault(str(run.outcome.experiment), []).append(at(run, path))
        for values in groups.values():
            mean = stats.gmean(values)
            found |= {f"{abs(100 * (value / mean - 1)):.2f}" for value in values}
    return found


def test_no_other_number_is_made_up(grid, texts):
    template = (
        resources.files("llem.report.study_report").joinpath("page.html.j2").read_text("utf-8")
    )
    known = set(NUMBER.findall(re.sub(r"\{[{%].*?[%}]\}|<[^>]*>", " ", template)))
    for run in grid:
        known |= set(NUMBER.findall(str(run.outcome.model_dump(mode="json"))))
        known |= {number(at(run, path)) for path in WHERE.values()}
    known |= set(NUMBER.findall(" ".join(shown for _, _, shown in texts.data)))
    known |= deviations(grid)
    known |= {"90", "95", "99"}  # "median, to 90, 95 and 99 %" under the latencies
    free = {found.rstrip(".,") for text in texts.free for found in NUMBER.findall(text)}
    assert free - {text.rstrip(".,") for text in known} == set()


def test_sources_are_of_known_kinds(texts):
    kinds = {re.split(r"[ #.]", source)[0] for _, source, _ in texts.data if "#" not in source}
    assert kinds == {"summary", "effect", "trend", "count", "given"}


EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'


def evil_outcome():
    made = document("evil", some__note=EVIL, model__id=EVIL, effective={EVIL: EVIL})
    made["verdict"] = {"valid": False, "reasons": [{"code": EVIL, "message": EVIL}]}
    made["environment"] |= {"engine": EVIL, "cpu": EVIL, "versions": {EVIL: EVIL}}
    made["energy"]["devices"][0] |= {"device": EVIL, "domain": EVIL}
    made["plan"] = {"calls": [{"name": EVIL, "target": EVIL, "kwargs": {EVIL: EVIL}}]}
    made["compute"] = {"flops": 1.0, "flops_per_s": 1.0, "mfu_ratio": None, "note": EVIL}
    good = stored("good", some__note="x")
    return [good, type(good)(good.folder, type(good.outcome).model_validate(made))]


def test_nothing_from_an_outcome_acts():
    text = html_page(build_report(EVIL, evil_outcome(), Rates()))
    parser = Texts()
    parser.feed(text)
    assert parser.tags.count("script") == 1
    assert "img" not in parser.tags
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "{{ 7 * 7 }}" in text  # shown, not computed
    plain = markdown_page(build_report(EVIL, evil_outcome(), Rates()))
    outside_code = re.sub(r"```yaml.*?```", "", plain, flags=re.DOTALL)
    assert "<script" not in outside_code
    assert "<img" not in outside_code


def test_the_page_asks_for_nothing_from_outside(report):
    text = html_page(report)
    assert "default-src 'none'" in text
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(?:src|href)=\"(?!#)", text)


def test_markdown_says_the_same(report):
    text = markdown_page(report)
    assert text.startswith("# Study\n\n## Summary\n\n- kind=b, size=4: ")
    assert "17 of 18 outcomes are valid." in text
    assert "| throttled | 1 |" in text
    assert '| run-a-1-0 | "a" | 1 | valid |' in text
    assert "## Effect of each parameter" in text
