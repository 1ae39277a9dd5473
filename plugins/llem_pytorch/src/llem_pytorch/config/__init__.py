"""The fields of the backend's section, composed of one model per idea."""

from __future__ import annotations

from llem_pytorch.config.batching import Batching
from llem_pytorch.config.bitsandbytes import BitsAndBytes
from llem_pytorch.config.cache import Cache
from llem_pytorch.config.compilation import Compilation
from llem_pytorch.config.kernels import Kernels
from llem_pytorch.config.logits import Logits
from llem_pytorch.config.numerics import Numerics
from llem_pytorch.config.placement import Placement
from llem_pytorch.config.quantization import QuantizationField
from llem_pytorch.config.search import Search
from llem_pytorch.config.speculation import Speculation


# The fields stand in the order of these bases, last one first.
class PyTorchFields(
    Logits,
    Speculation,
    Search,
    Cache,
    QuantizationField,
    BitsAndBytes,
    Numerics,
    Compilation,
    Kernels,
    Placement,
    Batching,
):
    """Every field of the section."""

    @property
    def quantizes(self) -> bool:
        """Whether weights are quantized while loading, or loaded quantized by a field."""
        return bool(self.load_in_4bit or self.load_in_8bit or self.quantization)


__all__ = ["PyTorchFields"]
