"""Peak memory of a worker: one meaning, whether or not it has served an earlier run."""

import pytest

from llem.process.worker import Service

MIB = 2**20
PLUGIN = """
from llem.api.session import ModelInfo, OpenReport, RunResult, Session


class Loads(Session):
    used = False

    def open(self, plan):
        large = bytearray(300 * 2**20)
        return OpenReport("engine", "1", ModelInfo(len(large)), ["cpu"])

    def reopen(self, plan):
        self.held = None

    def prepare(self, requests):
        self.held = bytearray(100 * 2**20)

    def run(self):
        if not self.used:
            self.used = bool(bytearray(300 * 2**20))
        return RunResult(0.0, 1.0, [])


def llem_measurement():
    return Loads
"""


@pytest.fixture
def service(tmp_path, monkeypatch):
    """Return the worker's calls on a session that takes 300 MiB to load and 100 MiB to run."""
    (tmp_path / "peaks_plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    service = Service()
    service.start("peaks_plugin", [])
    yield service
    service.close()


def test_a_kept_worker_has_the_peaks_of_a_fresh_one(service):
    plan = {"calls": [], "settings": {}}
    service.open(plan)
    service.prepare([])
    fresh = service.observe()["memory"]
    service.reopen(plan)
    service.prepare([])
    kept = service.observe()["memory"]
    assert fresh["host_load_peak_rss_bytes"] - fresh["host_peak_rss_bytes"] > 150 * MIB
    assert kept["host_load_peak_rss_bytes"] == fresh["host_load_peak_rss_bytes"]
    assert abs(kept["host_peak_rss_bytes"] - fresh["host_peak_rss_bytes"]) < 20 * MIB


def test_what_the_first_repetition_takes_once_is_no_part_of_the_peak(service):
    service.open({"calls": [], "settings": {}})
    service.prepare([])
    for _ in range(2):
        service.run()
    memory = service.observe()["memory"]
    assert memory["host_peak_rss_bytes"] < memory["host_load_peak_rss_bytes"] - 150 * MIB
