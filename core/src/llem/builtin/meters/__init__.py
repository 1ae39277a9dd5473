"""Meters: NVML for NVIDIA GPUs, RAPL for CPUs, a declared estimate, and files of other meters."""
