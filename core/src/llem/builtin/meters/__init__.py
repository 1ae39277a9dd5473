"""Meters: NVML for NVIDIA GPUs, RAPL for CPUs, and a declared estimate where nothing measures."""
