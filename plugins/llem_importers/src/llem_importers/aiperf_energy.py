"""The energy in files of aiperf and GenAI-Perf: as stated, else as their telemetry adds up.

aiperf 0.13 states it: GPU counters, or power times time, over the profiling phase. In older files
the telemetry of each GPU holds its counter's growth. GenAI-Perf's holds statistics of the counter's
*readings*: their mean is no energy of the run, and what the counter grew by is the largest less the
smallest reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llem_importers.figures import Data, Figures, known, part, ratio, scaled

_UNITS = {
    "ns": 1e-9, "us": 1e-6, "ms": 1e-3, "sec": 1.0, "s": 1.0, "seconds": 1.0,
    "mj": 1e-3, "j": 1.0, "kj": 1e3, "megajoules": 1e6, "joules": 1.0,
    "w": 1.0, "watts": 1.0, "mw": 1e-3, "kw": 1e3,
}  # fmt: skip


def unit_of(section: Data) -> float:
    """Return the factor from a metric's unit to SI units; 1 for rates and counts."""
    unit = str(section.get("unit") or "").partition("/")[0].strip()
    return 1e6 if unit == "MJ" else _UNITS.get(unit.lower(), 1.0)


def mean_of(data: Data, name: str) -> float | None:
    """Return the mean of a metric in SI units, which is all that a total or a rate has."""
    section = part(data, name)
    return scaled(section.get("avg", section.get("value")), unit_of(section))


def energy_of(
    data: Data, powers_w: list[float], energies_j: list[float]
) -> tuple[Figures, str | None]:
    """Return what the file states of energy, and what that covers."""
    stated = {
        figure: next(
            (
                value
                for vendor in ("nvidia_", "amd_", "")
                if (value := mean_of(data, vendor + name))
            ),
            None,
        )
        for figure, name in (
            ("gross_j", "total_gpu_energy"),
            ("mean_w", "total_gpu_power"),
            ("j_per_output_token", "energy_per_output_token"),
            ("j_per_request", "energy_per_request"),
        )
    }
    is_stated = stated["gross_j"] is not None
    gross_j = sum(energies_j) if energies_j else None
    gross_j = stated["gross_j"] if is_stated else gross_j
    counted = {
        "gross_j": gross_j,
        "mean_w": sum(powers_w) if powers_w else None,
        "j_per_output_token": ratio(
            gross_j, mean_of(data, "total_osl") or mean_of(data, "total_output_tokens")
        ),
        "j_per_request": ratio(gross_j, mean_of(data, "request_count")),
    }
    figures = known(counted) | known(stated)
    if is_stated:
        return figures, "GPUs over the profiling phase, by counter or power times time"
    what = "energy counters" if energies_j else "mean power"
    return figures, f"GPUs, by telemetry of {what}" if figures else None


def telemetry_of(
    data: Data, *, is_growth: bool
) -> tuple[list[float], list[float], tuple[str, ...]]:
    """Return mean power and growth of the counter of each GPU, and the names of the GPUs.

    Args:
        data: The file's data.
        is_growth: Whether the file holds the counter's growth, and not its readings.
    """
    powers_w: list[float | None] = []
    energies_j: list[float | None] = []
    names = []
    for name, metrics in _gpu_metrics(data):
        names.append(name)
        for key, section in metrics.items():
            if not isinstance(section, Mapping):
                continue
            unit = unit_of(section)
            if key.endswith("power_usage"):
                powers_w.append(scaled(section.get("avg"), unit))
            elif key.endswith("energy_consumption") and is_growth:
                energies_j.append(scaled(section.get("avg"), unit))
            elif key.endswith("energy_consumption"):
                largest, smallest = (scaled(section.get(end), unit) for end in ("max", "min"))
                energies_j.append(
                    None if largest is None or smallest is None else largest - smallest
                )
    return _complete(powers_w), _complete(energies_j), tuple(name for name in names if name)


def _complete(values: list[float | None]) -> list[float]:
    """Return the values of all GPUs; none where one is missing, because a sum would lack it."""
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else []


def _gpu_metrics(data: Data) -> Iterator[tuple[str, Data]]:
    for endpoint in part(data, "telemetry_data", "endpoints").values():
        for gpu in part(endpoint, "gpus").values():
            yield str(part({"gpu": gpu}, "gpu").get("gpu_name") or ""), part(gpu, "metrics")
    by_metric = part(data, "telemetry_stats")
    indices = dict.fromkeys(
        key
        for section in by_metric.values()
        for key in part({"of": section}, "of")
        if key != "unit"
    )
    for index in indices:
        yield (
            "",
            {
                name: {**part(section, index), "unit": section.get("unit")}
                for name, section in by_metric.items()
                if isinstance(section, Mapping)
            },
        )
