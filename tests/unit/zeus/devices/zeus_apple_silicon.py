"""The native library of Zeus for Apple chips, on a machine that has none."""

import time
from types import SimpleNamespace


class AppleEnergyMonitor:
    def get_cumulative_energy(self):
        mj = int(time.monotonic() * 1000)
        return SimpleNamespace(
            cpu_total_mj=4 * mj,
            efficiency_cores_mj=[mj, mj],
            performance_cores_mj=[mj, mj],
            efficiency_cluster_mj=[2 * mj],
            performance_cluster_mj=[2 * mj],
            efficiency_core_manager_mj=0,
            performance_core_manager_mj=0,
            dram_mj=2 * mj,
            gpu_mj=10 * mj,
            gpu_sram_mj=None,
            ane_mj=0,
        )
