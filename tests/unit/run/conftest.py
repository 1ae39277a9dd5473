"""No variable of this machine in an outcome."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CUDA_", "HF_", "KMP_", "MKL_", "OMP_", "TOKENIZERS_")):
            monkeypatch.delenv(name)
