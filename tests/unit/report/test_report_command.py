"""`llem report` as a user types it."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from llem.cli import main

from .outcomes import write


@pytest.fixture
def llem(tmp_path, monkeypatch):
    """Return a function that runs `llem report` beside the folder `study`."""
    for bits, total in ((None, 10.0), (4, 9.0)):
        write(tmp_path / "study", f"run-{bits}", (total, total + 0.05), some__bits=bits)
    monkeypatch.chdir(tmp_path)

    def llem(*arguments, code=0):
        result = CliRunner().invoke(main, ["report", *arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return llem


def test_the_page_lies_in_the_study(llem, tmp_path):
    assert "wrote study/report.html" in llem("study").stderr
    text = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "<h1>study</h1>" in text


def test_file_title_and_rates_can_be_chosen(llem, tmp_path):
    llem("study", "--out", "new/page.html", "--title", "Bits", "--carbon", "400", "--price", "0.3")
    text = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert "<h1>Bits</h1>" in text
    assert "g CO₂e per kWh (as given) and " in text
    assert "EUR per kWh (as given)." in text
    prices = ("--price", "0.3", "--currency", "CHF")
    text = llem("study", "--format", "markdown", *prices).stdout
    costs = [float(found) for found in re.findall(r"Electricity costs ([\d.]+) CHF\.", text)]
    energies_wh = [float(found) for found in re.findall(r"([\d.]+) Wh gross", text)]
    assert costs == pytest.approx([wh * 0.3 / 1000 for wh in energies_wh], rel=5e-3)


def test_the_carbon_intensity_of_a_country_and_the_pue_multiply_the_energy(llem):
    # Two variants of 40 and 36 J in 8 requests.
    text = llem("study", "--format", "markdown", "--carbon", "fr", "--pue", "1.5").stdout
    grams = [float(found) for found in re.findall(r"([\d.]+) g CO₂e\.", text)]
    energies_wh = [float(found) for found in re.findall(r"([\d.]+) Wh gross", text)]
    assert len(grams) == 2
    assert grams == pytest.approx([wh * 1.5 * 56.0 / 1000 for wh in energies_wh], rel=5e-3)
    assert "Computed with 56 g CO₂e per kWh (mean of FR: Our World in Data from Ember" in text
    assert "2023), at a PUE of 1.5." in text
    llem("study", "--carbon", "FR", "--pue", "1.5")
    page = (Path("study") / "report.html").read_text(encoding="utf-8")
    assert "mean of FR: Our World in Data from Ember" in page
    assert "2023), at a PUE of" in page


@pytest.mark.parametrize("wrong", ["XX", "-1", "much"])
def test_an_unknown_country_is_refused_with_the_known_codes(llem, wrong):
    assert "nor one of AU, BR, CA" in llem("study", f"--carbon={wrong}", code=2).stderr


def test_markdown_goes_to_stdout(llem, tmp_path):
    assert llem("study", "--format", "markdown").stdout.startswith("# study\n")
    llem("study", "--format", "markdown", "--out", "report.md")
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# study\n")


def test_figures_are_written_beside(llem, tmp_path):
    llem("study", "--figures", "figures")
    assert (tmp_path / "figures" / "energy-against-throughput.svg").exists()


def test_what_cannot_be_read_or_written_is_said(llem, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot write" in llem("study", "--out", "file/page.html", code=2).stderr
    assert "cannot write figures" in llem("study", "--figures", "file/figures", code=2).stderr
    assert "no folder missing" in llem("missing", code=4).stderr
