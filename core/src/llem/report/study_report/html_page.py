"""The report as one HTML page: content and figures in the template, styles and script inside."""

from __future__ import annotations

import json
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from llem.report import formatting, varied_parameters
from llem.report.study_report.content import Report
from llem.report.study_report.evidence import (
    least_bytes_per_s,
    recipes,
    requested_and_effective,
)
from llem.report.study_report.plots import LATENCIES, MOST_LATENCIES, figures
from llem.schema.outcome import Outcome


def html_page(report: Report) -> str:
    """Return the report as HTML.

    The template escapes all text from configs, logs and engines. Figures escape theirs.
    """
    environment = Environment(
        loader=PackageLoader("llem.report", "study_report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        report=report,
        figures={name: Markup(svg) for name, svg in figures(report)},  # noqa: S704 - made here
        latencies=LATENCIES,
        most_latencies=MOST_LATENCIES,
        facts=_facts(report.outcomes),
        arguments=requested_and_effective(report.outcomes),
        recipes=recipes(report.outcomes),
        least_bytes_per_s=least_bytes_per_s,
        formatting=formatting,
        parameters=varied_parameters,
    )


def _facts(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return the distinct values of each fact about model, workload and machine."""
    facts: dict[str, list[str]] = {}
    for outcome in outcomes:
        environment, workload = outcome.environment, outcome.workload
        model = outcome.experiment.get("model", {})
        for name, value in (
            ("model", model.get("id") if isinstance(model, dict) else None),
            ("backend", outcome.experiment.get("backend")),
            ("engine", f"{environment.engine or ''} {environment.engine_version or ''}".strip()),
            ("devices", ", ".join(environment.devices)),
            ("processor", environment.cpu),
            ("cores", environment.logical_cores),
            ("memory in bytes", environment.memory_bytes),
            ("GPUs", environment.gpus and json.dumps(environment.gpus, ensure_ascii=False)),
            ("system", environment.system),
            ("python", environment.python),
            ("llem", environment.llem_version),
            ("requests per repetition", workload and workload.requests),
            ("input tokens hash", workload and workload.input_ids_sha256),
        ):
            if value not in (None, "", ()) and str(value) not in facts.setdefault(name, []):
                facts[name].append(str(value))
    return {name: values for name, values in facts.items() if values}
