"""Hooks of the Zeus meters; Zeus itself is imported when a meter is used."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.hookspecs import hookimpl
from llem.api.meters import MeterSpec, Provenance


@hookimpl
def llem_meters() -> Sequence[MeterSpec]:
    """Return a meter for each kind of device that Zeus can read."""
    return (
        MeterSpec(
            name="zeus-amd",
            summary="AMD GPUs, through Zeus and AMD SMI",
            provenance=Provenance.MEASURED,
            factory="llem_zeus.gpu.AmdMeter",
            device_kind="rocm",
        ),
        MeterSpec(
            name="zeus-apple",
            summary="Apple silicon, through Zeus",
            provenance=Provenance.MEASURED,
            factory="llem_zeus.soc.AppleMeter",
            device_kind="cpu",
        ),
        MeterSpec(
            name="zeus-jetson",
            summary="NVIDIA Jetson boards, through Zeus",
            provenance=Provenance.MEASURED,
            factory="llem_zeus.soc.JetsonMeter",
            device_kind="cpu",
        ),
        MeterSpec(
            name="zeus-nvidia",
            summary="NVIDIA GPUs, through Zeus, to check nvml; only when named",
            provenance=Provenance.MEASURED,
            factory="llem_zeus.gpu.NvidiaMeter",
            device_kind="cuda",
            opt_in=True,
        ),
    )
