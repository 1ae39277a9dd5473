"""Faults of the disk, made by the kernel."""

import resource
from contextlib import contextmanager

import pytest


@pytest.fixture
def small_disk():
    """Return a context in which no file may grow beyond 4 KiB: writes fail as on a full disk."""

    @contextmanager
    def limited():
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
