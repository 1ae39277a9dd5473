"""Is it TensorRT-LLM that is installed, or something that merely has its name?"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType


def is_native(package: ModuleType) -> bool:
    """Whether ``package`` brings compiled libraries, without which no model runs.

    TensorRT-LLM computes in C++ and CUDA libraries that lie in its package. A stand-in written in
    Python can take its calls and answer them, but what it answers was not computed: such a run is
    marked as simulated, whatever it says about itself.
    """
    file = getattr(package, "__file__", None)
    return file is not None and next(Path(file).parent.rglob("*.so"), None) is not None
