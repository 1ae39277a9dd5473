"""The backend's section of an experiment, composed of one model per idea."""

from __future__ import annotations

from typing import Any, ClassVar

from llem.schema.experiment import Rule
from llem_pytorch.config.batching import Batching
from llem_pytorch.config.bitsandbytes import BitsAndBytes
from llem_pytorch.config.cache import Cache
from llem_pytorch.config.compilation import Compilation
from llem_pytorch.config.kernels import Kernels
from llem_pytorch.config.logits import Logits
from llem_pytorch.config.numerics import Numerics
from llem_pytorch.config.placement import Placement
from llem_pytorch.config.quantization import Quantisation
from llem_pytorch.config.search import Search
from llem_pytorch.config.speculation import Speculation
from llem_pytorch.rules import RULES


# The fields stand in the order of these bases, last one first.
class PyTorchConfig(
    Logits,
    Speculation,
    Search,
    Cache,
    Quantisation,
    BitsAndBytes,
    Numerics,
    Compilation,
    Kernels,
    Placement,
    Batching,
):
    """How transformers loads the model and generates."""

    rules: ClassVar[tuple[Rule[Any], ...]] = RULES


__all__ = ["PyTorchConfig"]
