"""Hooks of the built-in meters."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.hookspecs import hookimpl
from llem.api.meters import MeterSpec, Provenance


@hookimpl
def llem_meters() -> Sequence[MeterSpec]:
    """Offer the meters."""
    return (
        MeterSpec(
            name="nvml",
            summary="NVIDIA GPUs, through the driver's own library",
            provenance=Provenance.MEASURED,
            factory="llem.builtin.nvml.NvmlMeter",
            device_kind="cuda",
        ),
        MeterSpec(
            name="rapl",
            summary="CPU packages and memory, through the Linux powercap interface",
            provenance=Provenance.MEASURED,
            factory="llem.builtin.rapl.RaplMeter",
            device_kind="cpu",
        ),
        MeterSpec(
            name="cpu-estimate",
            summary="CPU power estimated from its load; only where nothing measures it",
            provenance=Provenance.ESTIMATED,
            factory="llem.builtin.cpu_estimate.CpuEstimateMeter",
            device_kind="cpu",
            fallback=True,
        ),
        MeterSpec(
            name="trace",
            summary="an external meter's file: wall meter, PDU, BMC; only when named",
            provenance=Provenance.MEASURED,
            factory="llem.builtin.trace.TraceMeter",
            device_kind="host",
            opt_in=True,
        ),
    )
