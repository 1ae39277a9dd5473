"""Which model, in which form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api.config.base import FrozenModel, Param

DType = Literal["auto", "float32", "float16", "bfloat16"]


class ModelConfig(FrozenModel):
    """The model to run: a hub id, a local folder, a GGUF file, or an embedded shape."""

    id: Annotated[
        str, Field(min_length=1), Param(examples=("shape:tiny", "HuggingFaceTB/SmolLM2-135M"))
    ] = "shape:tiny"
    """Hub id, path of a local model folder, or `shape:NAME` for an embedded shape."""

    revision: Annotated[str | None, Param(examples=("main",))] = None
    """Branch, tag or commit of a hub model; applies to its tokenizer as well."""

    dtype: Annotated[DType | None, Param(examples=("bfloat16",))] = None
    """Data type of weights and arithmetic; `auto` or unset takes the checkpoint's own."""

    weights: Literal["pretrained", "random"] | None = None
    """`random` initialises seeded weights without reading any; unset means random for a shape
    and pretrained otherwise."""

    gguf_file: Annotated[str | None, Param(examples=("model.Q4_K_M.gguf",))] = None
    """File name of a GGUF file inside the folder or repository named by `id`."""

    tokenizer: Annotated[str | None, Param(examples=("HuggingFaceTB/SmolLM2-135M",))] = None
    """Hub id or local folder of another tokenizer; unset uses the model's own."""

    trust_remote_code: bool = False
    """Whether Python code that ships with the model may be executed."""

    @property
    def is_shape(self) -> bool:
        """Whether `id` names an embedded shape."""
        return self.id.startswith("shape:")

    @property
    def random_weights(self) -> bool:
        """Whether weights are initialised instead of read."""
        return self.is_shape if self.weights is None else self.weights == "random"
