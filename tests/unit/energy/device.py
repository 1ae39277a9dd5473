"""An analytic device: its energy is known exactly at any moment, and it shows it as NVML does."""

import math

import numpy as np

from llem.api.meters import Channel, Provenance, Quantity, Series

GOLDEN = (5**0.5 - 1) / 2
STEP_S = 0.001


def constant(t):
    return np.full_like(t, 250.0)


def square(t):
    return np.where(t % 2 < 1, 100.0, 400.0)


def ramp(t):
    return 50 + 350 * (t % 20) / 20


def bursts(t):
    return np.where(t % 0.73 < 0.2, 400.0, 60.0)


def sine(t):
    return 250 + 150 * np.sin(2 * math.pi * t / 1.7)


WAVES = [constant, square, ramp, bursts, sine]


class Device:
    """Power follows `wave`; counter and power are renewed every `update_s`."""

    def __init__(self, wave, *, seed=0, update_s=0.1, length_s=70.0):
        self.rng = np.random.default_rng(seed)
        self.update_s, self.length_s = update_s, length_s
        self.grid_s = np.arange(0, length_s + 1, STEP_S)
        self.power_w = wave(self.grid_s + STEP_S / 2)
        self.energy = np.concatenate(([0.0], np.cumsum(self.power_w * STEP_S)))[:-1]
        self.phase_s = self.rng.uniform(0, update_s)

    def energy_j(self, start_s, end_s):
        until = np.interp([start_s, end_s], self.grid_s, self.energy)
        return float(until[1] - until[0])

    def series(self, quantity=Quantity.ENERGY, *, period_s=0.05, without=(), **channel):
        """Read the device as the sampler does, a little late each time."""
        number = np.arange(int(self.length_s / period_s))
        read_s = (number + number * GOLDEN % 1) * period_s
        read_s += self.rng.exponential(0.0003, len(read_s))
        for start_s, end_s in without:
            read_s = read_s[(read_s < start_s) | (read_s > end_s)]
        renewed_s = self.phase_s + np.floor((read_s - self.phase_s) / self.update_s) * self.update_s
        renewed_s = np.maximum(renewed_s, 0.0)
        until = np.interp(renewed_s, self.grid_s, self.energy)
        if quantity is Quantity.ENERGY:
            values = np.round(until, 3)
        elif quantity is Quantity.POWER:
            values = np.interp(renewed_s, self.grid_s, self.power_w)
        else:
            second_before = np.interp(renewed_s - 1, self.grid_s, self.energy)
            first_w = self.power_w[0] * np.maximum(1 - renewed_s, 0)
            values = until - second_before + first_w
        described = Channel(
            "cuda:GPU-1", "board", quantity, update_period_s=self.update_s, resolution=0.001,
            **channel,
        )  # fmt: skip
        return Series(
            described, Provenance.MEASURED, "test", read_s.tolist(), np.asarray(values).tolist()
        )

    def windows(self, count, shortest_s, longest_s):
        """Return random windows, some way from the ends."""
        lengths = self.rng.uniform(shortest_s, longest_s, count)
        starts = [self.rng.uniform(3, self.length_s - 3 - length) for length in lengths]
        return [(start, start + length) for start, length in zip(starts, lengths, strict=True)]
