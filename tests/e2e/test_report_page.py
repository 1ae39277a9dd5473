"""The report in a real browser: Chromium, driven by Playwright."""

import gzip
import shutil
from pathlib import Path

import pytest

from llem.report.load_outcomes import read_all
from llem.report.study_report.content import build_report
from llem.report.study_report.html_page import html_page
from llem.report.study_report.summary import Rates
from llem.results.series_files import store_phases

from ..unit.report.outcomes import place, stored, write

pytestmark = pytest.mark.browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)  # fmt: skip
EVIL = '<script>document.title = "evil"</script><img src="http://example.invalid/x.png">'


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as running:
        # No sandbox, because tests may run as root in a container; the page is our own.
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Return the file of a report on three kinds, four sizes and three blocks."""
    grid = [
        stored(
            f"{kind[:5]}-{size}-{block}",
            (energy / size, 1.02 * energy / size),
            durations_s=[2 / size, 2.1 / size],
            some__kind=kind,
            some__size=size,
            place=place(block),
            reasons=("throttled",) if (size, block) == (4, 0) else (),
        )
        for kind, energy in (("plain", 10.0), ("int8", 8.0), (EVIL, 7.0))
        for size in (1, 2, 4, 10)
        for block in range(3)
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html_page(build_report("A study", grid, Rates())), encoding="utf-8")
    return path


class Opened:
    """A page, and everything that it requested or logged."""

    def __init__(self, browser, file, **options):
        self.page = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())

    def column(self, at):
        return self.page.eval_on_selector_all(
            "#table tbody tr:not([hidden])",
            f"rows => rows.map(row => row.cells[{at}].textContent.trim())",
        )


@pytest.fixture
def opened(browser, file):
    opened = Opened(browser, file)
    yield opened
    assert opened.complaints == []
    assert opened.requests == [file.as_uri()]
    opened.page.close()


def test_the_table_sorts_by_mouse_and_by_keyboard(opened):
    header = opened.page.get_by_role("button", name="energy per output token J").first
    header.click()
    energies = [float(text) for text in opened.column(4)]
    assert energies == sorted(energies)
    assert opened.page.locator("th[aria-sort=ascending]").count() == 1
    header.focus()
    opened.page.keyboard.press("Enter")
    assert [float(text) for text in opened.column(4)] == sorted(energies, reverse=True)
    opened.page.keyboard.press("Shift+Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "verdict"


def test_numbers_sort_as_numbers(opened):
    opened.page.get_by_role("button", name="size", exact=True).click()
    assert list(dict.fromkeys(opened.column(2))) == ["1", "2", "4", "10"]


def test_the_table_filters(opened):
    page = opened.page
    assert page.locator("#count").text_content() == "36 of 36 shown"
    page.get_by_label("Filter").fill("int8")
    assert page.locator("#count").text_content() == "12 of 36 shown"
    assert set(opened.column(1)) == {"int8"}
    page.get_by_label("valid only").check()
    assert page.locator("#count").text_content() == "11 of 36 shown"
    page.get_by_label("Filter").fill("no such thing")
    assert opened.column(0) == []


def test_a_series_is_hidden_and_shown(opened):
    button = opened.page.locator("#tradeoff .legend button", has_text="int8")
    marks = opened.page.locator('#tradeoff g.series[data-series="kind=int8"]')
    assert marks.is_visible()
    button.press("Space")
    assert button.get_attribute("aria-pressed") == "false"
    assert not marks.is_visible()
    button.click()
    assert marks.is_visible()


def test_nothing_from_a_config_acts(opened):
    assert opened.page.title() == "A study: llem report"
    assert opened.page.locator("img").count() == 0
    assert EVIL in opened.column(1)


def test_every_control_has_a_name(opened):
    unnamed = opened.page.eval_on_selector_all(
        "button, input, a, svg[role=img], [role=region]",
        """all => all.filter(item => !(item.textContent.trim() || item.getAttribute("aria-label")
            || (item.labels && item.labels.length))).map(item => item.outerHTML)""",
    )
    assert unnamed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_its_background(browser, file, scheme):
    opened = Opened(browser, file, color_scheme=scheme)
    ratios = opened.page.evaluate(
        """() => {
          const light = (text) => {
            const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((channel) => {
              const c = channel / 255;
              return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const paper = light(getComputedStyle(document.body).backgroundColor);
          const texts = "p, td, th, dt, dd, a, h1, h2, .tag";
          return [...document.querySelectorAll(texts)].map((element) => {
            const ink = light(getComputedStyle(element).color);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
          });
        }"""
    )
    opened.page.close()
    assert min(ratios) >= 3.4  # WCAG asks 3 of large text, 4.5 of small; tags are bold and framed
    assert sorted(ratios)[len(ratios) // 10] >= 4.5


@pytest.fixture(scope="module")
def power_file(tmp_path_factory):
    """Return the file of a report on one run with samples and phases."""
    folder = tmp_path_factory.mktemp("power")
    run = write(folder, "run", (20.0, 20.0), durations_s=[1.0, 1.0])
    with gzip.open(run / "samples.csv.gz", "wt") as samples:
        samples.write("time_s,meter,device,domain,energy_j,power_w,average_power_w\n")
        for at in range(40):
            samples.write(f"{99 + at / 10},rapl,cpu,package,,{20 + at % 3},\n")
    phases = {"prefill": [(100.0, 100.2), (101.1, 101.3)], "decode": [(100.2, 101.0)]}
    store_phases(run, phases)
    path = folder / "report.html"
    path.write_text(html_page(build_report("A run", read_all([run]), Rates())), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_windows_and_phases_have_colors_of_their_own(browser, power_file, scheme):
    opened = Opened(browser, power_file, color_scheme=scheme)
    section = opened.page.locator("#power")
    section.scroll_into_view_if_needed()
    fills = {
        kind: section.locator(f"path.{kind}").evaluate("element => getComputedStyle(element).fill")
        for kind in ("window", "prefill", "decode")
    }
    assert len(set(fills.values())) == 3
    assert not [fill for fill in fills.values() if fill in ("none", "rgb(0, 0, 0)")]
    for kind in ("prefill", "decode"):
        key = section.locator(f".keys .{kind}")
        assert key.text_content() == kind
        assert key.evaluate("element => getComputedStyle(element).backgroundColor") == fills[kind]
    assert opened.complaints == []
    opened.page.close()


def test_screenshots_are_kept(browser, file):
    folder = Path("build/screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        opened = Opened(browser, file, color_scheme=scheme)
        path = folder / f"report-{scheme}.png"
        opened.page.screenshot(path=path, full_page=True)
        opened.page.close()
        assert path.stat().st_size > 50_000


def test_it_prints(browser, file, tmp_path):
    opened = Opened(browser, file)
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("nav").is_visible()
    opened.page.pdf(path=tmp_path / "report.pdf")
    opened.page.close()
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
