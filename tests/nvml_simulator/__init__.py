"""Simulated NVIDIA GPUs: a driver library compiled on the spot, and the truth to compare with."""
