"""The Python API in the kernel of a real notebook."""

import re

import psutil
import pytest

from llem.results import read_outcome

from .quick_experiments import QUICK, SLOW

pytest.importorskip("ipykernel")
manager = pytest.importorskip("jupyter_client.manager")


class Notebook:
    """A kernel in a folder; keeps the last cell's messages."""

    def __init__(self, folder):
        self.kernel, self._client = manager.start_new_kernel(kernel_name="python3", cwd=folder)
        self.shown = []
        self.run(f"import llem; QUICK, SLOW = {QUICK!r}, {SLOW!r}")

    def run(self, cell, interrupt_at=None):
        """Run a cell and return the reply; interrupt it once it shows `interrupt_at`."""
        self.shown = []

        def hook(message):
            data = message["content"].get("data", {})
            self.shown.append((message["msg_type"], data))
            if interrupt_at is not None and interrupt_at in data.get("text/plain", ""):
                self.kernel.interrupt_kernel()

        return self._client.execute_interactive(cell, output_hook=hook, timeout=60)["content"]

    def close(self):
        self._client.stop_channels()
        self.kernel.shutdown_kernel(now=True)

    @property
    def line(self):
        """The texts of the one line that progress is shown in, in order."""
        assert [kind for kind, _ in self.shown].count("display_data") == 1
        return [data["text/plain"] for kind, data in self.shown if kind == "update_display_data"]

    @property
    def result(self):
        """The result of the cell's last expression, by media type."""
        (data,) = [data for kind, data in self.shown if kind == "execute_result"]
        return data


@pytest.fixture
def notebook(tmp_path):
    notebook = Notebook(tmp_path)
    yield notebook
    notebook.close()


def test_one_line_shows_the_progress_and_is_cleared(notebook):
    duration = "{'measurement.min_duration_s': 0.5}"
    reply = notebook.run(f"outcome = llem.measure(QUICK, overrides={duration})\noutcome")
    assert reply["status"] == "ok"
    assert "loading shape:tiny" in notebook.line
    assert any("█" in text and "output tokens/s" in text for text in notebook.line)
    assert notebook.line[-1] == ""
    assert re.fullmatch(
        r"<Outcome .*-simulated-.*: done, not valid>", notebook.result["text/plain"]
    )


def test_no_progress_is_shown_where_it_is_not_wanted(notebook):
    assert notebook.run("outcome = llem.measure(QUICK, progress=False)")["status"] == "ok"
    assert {kind for kind, _ in notebook.shown} <= {"status", "execute_input"}


def test_the_stop_button_ends_the_worker_and_stores_the_outcome(notebook, tmp_path):
    reply = notebook.run("llem.measure(SLOW)", interrupt_at="warming up")
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    assert psutil.Process(notebook.kernel.provisioner.pid).children(recursive=True) == []
    (folder,) = (tmp_path / "results").iterdir()
    assert read_outcome(folder).status == "interrupted"
    assert folder.name in reply["evalue"]
    assert notebook.run("print(llem.measure(QUICK).status)")["status"] == "ok"


def test_a_comparison_is_shown_as_markdown(notebook):
    notebook.run("outcomes = [llem.measure(QUICK), llem.measure(QUICK)]")
    notebook.run("llem.compare(*outcomes, allow=['invalid'])")
    assert notebook.result["text/markdown"].startswith("### ")
