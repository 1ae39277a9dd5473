"""Build a report of 500 simulated experiments, and open it in Chromium where there is one.

    python benchmarks/report.py [EXPERIMENTS]

Prints seconds to build, megabytes, and seconds until the page in the browser can be used.
"""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from llem.report.load_outcomes import read_all
from llem.report.study_report.content import build_report
from llem.report.study_report.html_page import html_page
from llem.report.study_report.summary import Rates
from llem.schema.outcome import Outcome

KINDS = {"none": (1.0, 1.0), "int8": (0.8, 0.7), "nf4": (0.7, 0.75), "fp4": (0.72, 0.74)}
SIZES = (1, 2, 4, 8, 16)
BUILD_S, MOST_BYTES, INTERACTIVE_S = 10, 8e6, 2
TOKENS, REQUESTS = 200, 10


def outcome(number: int, random: np.random.Generator) -> dict[str, Any]:
    """Return the outcome of one of the experiments: kinds and sizes crossed, in blocks."""
    points = [(kind, size) for kind in KINDS for size in SIZES]
    block, at = divmod(number, len(points))
    kind, size = points[at]
    energy, speed = KINDS[kind]
    joules = 40 * energy * size**-0.6 * np.exp(random.normal(0, 0.02, 4))
    durations_s = 2 / speed * size**-0.7 * np.exp(random.normal(0, 0.02, 4))
    gross_j, total_s = float(joules.sum()), float(durations_s.sum())
    tokens, requests, idle_j = 4 * TOKENS, 4 * REQUESTS, 3 * total_s
    starts_s = 100 + np.concatenate([[0], np.cumsum(durations_s[:-1])])
    row = {
        "gross_j": gross_j, "net_j": gross_j - idle_j, "uncertainty_j": 0.01 * gross_j,
        "gain_uncertainty_j": 0.03 * gross_j, "net_uncertainty_j": 0.02 * gross_j,
        "mean_w": gross_j / total_s, "provenance": "measured",
    }  # fmt: skip
    median_s = total_s / 8
    quantiles = {
        name: {"p50": share, "p90": 1.3 * share, "p95": 1.5 * share, "p99": 2 * share,
               "mean": 1.1 * share}
        for name, share in (("ttft_s", median_s / 10), ("itl_s", median_s / 100),
                            ("e2e_s", median_s))
    }  # fmt: skip
    return {
        "id": f"{number:020x}", "experiment_sha256": "0", "status": "done",
        "verdict": {"valid": True},
        "experiment": {
            "backend": "some", "model": {"id": "shape:tiny"},
            "some": {"quantization": kind, "batch_size": size},
        },
        "plan": {
            "settings": {"batch_size": size},
            "calls": [
                {
                    "name": "load",
                    "target": "engine:load",
                    "kwargs": {f"argument_{n}": n for n in range(40)},
                }
            ],
        },
        "effective": {f"load.argument_{n}": n for n in range(60)},
        "environment": {
            "llem_version": "0", "system": "Linux", "cpu": "A processor", "logical_cores": 2,
            "memory_bytes": 1, "devices": ["cpu"], "engine": "engine", "engine_version": "1",
            "started_at": str(np.datetime64("2026-01-01T00:00") + number),
        },
        "study": {
            "name": "s", "run_id": f"{number}", "repeat": block, "block": block, "position": number,
            "points": [],
        },
        "workload": {"requests": REQUESTS, "input_ids_sha256": "0" * 64, "ignore_eos": True},
        "tokens": {
            "input_tokens": tokens, "output_tokens": tokens, "padding_tokens": 0,
            "padding_input_tokens": 0, "padding_output_tokens": 0,
        },
        "timing": {
            "duration_s": total_s,
            "repetitions": [
                {
                    "start_monotonic_s": float(start_s), "duration_s": float(duration_s),
                    "input_tokens": TOKENS, "output_tokens": TOKENS,
                    "output_tokens_per_s": TOKENS / float(duration_s), "gross_j": float(joule),
                }
                for start_s, duration_s, joule in zip(starts_s, durations_s, joules, strict=True)
            ],
        },
        "throughput": {
            "output_tokens_per_s": tokens / total_s, "total_tokens_per_s": 2 * tokens / total_s,
            "requests_per_s": requests / total_s,
            "output_tokens_per_s_spread": {
                "mean": 1, "std": 0, "ci95_low": 1, "ci95_high": 1, "n": 4,
            },
        },
        "latency": quantiles,
        "energy": {
            **row, "idle_j": idle_j, "idle_basis": "bare",
            "j_per_output_token": gross_j / tokens, "j_per_request": gross_j / requests,
            "uncertainty_j_per_output_token": None, "uncertainty_j_per_request": None,
            "net_j_per_output_token": (gross_j - idle_j) / tokens,
            "net_j_per_request": (gross_j - idle_j) / requests,
            "devices": [
                {
                    **row, "device": "cpu", "domain": "package", "meter": "rapl",
                    "method": "counter", "idle_w": 3, "counted_in_total": True,
                }
            ],
        },
        "memory": {
            "host_peak_rss_bytes": int(2e9), "device_peak_bytes": int(1e9 * size),
            "weights_bytes": int(2.7e8), "kv_cache_bytes_per_token": 23040,
        },
        "compute": {"flops": 1e12, "flops_per_s": 1e12 / total_s, "mfu_ratio": None},
    }  # fmt: skip


def store(folder: Path, number: int, random: np.random.Generator) -> None:
    """Write one outcome with 20 s of samples, ten a second."""
    made = Outcome.model_validate(outcome(number, random))
    path = folder / made.id
    path.mkdir()
    (path / "outcome.json").write_text(json.dumps(made.model_dump(mode="json")))
    with gzip.open(path / "samples.csv.gz", "wt", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time_s", "meter", "device", "domain", "energy_j", "power_w"])
        for time_s in np.arange(90, 110, 0.1):
            rows.writerow([time_s, "rapl", "cpu", "package", "", 20 + 70 * (time_s > 100)])


def opened_s(path: Path) -> tuple[float, float] | None:
    """Return how long Chromium takes until the table has been sorted and filtered once.

    The second figure is the time that the page's own thread was busy, which a machine that does
    other things as well makes no longer.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        session = tab.context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        began_s = time.perf_counter()
        tab.goto(path.as_uri())
        tab.locator("#table thead button").nth(4).click()
        tab.get_by_label("Filter").fill("nf4")
        taken_s = time.perf_counter() - began_s
        metrics = session.send("Performance.getMetrics")["metrics"]
        busy_s = next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")
        shown = tab.locator("#table tbody tr:visible").count()
        assert shown == len(list(path.parent.iterdir())) // 4
        browser.close()
    return taken_s, busy_s


def main() -> int:
    """Print the figures; return 1 if one of them is beyond its bound."""
    experiments = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(experiments):
            store(folder, number, random)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        text = html_page(build_report("Benchmark", read_all([folder]), Rates()))
        build_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
        path = folder / "report.html"
        path.write_text(text, encoding="utf-8")
        opened = opened_s(path)
        size = path.stat().st_size
    print(f"{experiments} experiments: built in {build_s:.1f} s ({cpu_s:.1f} s of processor time)")
    print(f"size {size / 1e6:.1f} MB")
    shown = "no Chromium here"
    if opened is not None:
        shown = f"{opened[0]:.2f} s ({opened[1]:.2f} s of its thread)"
    print(f"opened, sorted and filtered in Chromium: {shown}")
    good = build_s < BUILD_S and size < MOST_BYTES and (not opened or opened[0] < INTERACTIVE_S)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
