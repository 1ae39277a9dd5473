"""Speculative decoding: a draft proposes tokens, and the model verifies several at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from llem.api import EngineArg, Param
from llem_trt.config.drafters import (
    EagleFields,
    LegacyFields,
    MtpFields,
    NgramFields,
    PardFields,
)
from llem_trt.config.methods import (
    COUNTED_METHODS,
    DRAFT_MODEL_METHODS,
    LEGACY_METHODS,
    PYTORCH_METHODS,
    REJECTION_METHODS,
    Method,
    of_methods,
)
from llem_trt.versions import NEW, OLD, Only


class Speculation(
    EagleFields,
    MtpFields,
    NgramFields,
    PardFields,
    LegacyFields,
    feeds="load.speculative_config",
):
    """A method and its settings; unset ones are the method's own."""

    method: Annotated[
        Method | None,
        Param(affects=EngineArg("load", "speculative_config"), examples=("auto", "mtp")),
        Only("1.2", values=LEGACY_METHODS),
        Only("1.3", values=("pard",)),
    ] = None
    """Source of draft tokens: `eagle3`, `pard` and `draft_target` have a draft model, `mtp` uses
    layers of the model itself, `ngram` and `auto` the text so far. `eagle`, `medusa` and
    `lookahead` belong to the legacy TensorRT execution."""

    speculative_model: Annotated[
        str | None,
        Field(min_length=1),
        of_methods(*DRAFT_MODEL_METHODS, examples=("other-draft",)),
    ] = None
    """Hub id or folder of the draft model."""

    max_draft_len: Annotated[
        int | None,
        Field(ge=0, le=1024),
        AfterValidator(lambda number: number or None),
        of_methods(
            *COUNTED_METHODS, "auto", "lookahead", like="ngram", unit="tokens", examples=(2, 8)
        ),
    ] = None
    """Tokens to propose in each step; 0 is unset."""

    max_total_draft_tokens: Annotated[
        int | None,
        Field(ge=1),
        of_methods(
            "eagle3",
            "eagle",
            unit="tokens",
            examples=(16,),
            example_context={
                "trt.speculation.use_dynamic_tree": True,
                "trt.speculation.dynamic_tree_max_top_k": 4,
            },
        ),
    ] = None
    """Tokens in the tree of a draft."""

    max_concurrency: Annotated[
        int | None,
        Field(ge=1),
        of_methods(*PYTORCH_METHODS, unit="requests", examples=(8,)),
    ] = None
    """Batch size above which speculation pauses."""

    draft_len_schedule: Annotated[
        dict[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=0)]] | None,
        of_methods(*PYTORCH_METHODS, like="ngram", unit="tokens", examples=({1: 4, 8: 0},)),
    ] = None
    """Tokens to propose by batch size. In 1.2 a length applies from its size on, and size 1 must
    have `max_draft_len`; later the sizes are upper bounds."""

    load_format: Annotated[
        Literal["auto", "dummy"] | None,
        of_methods("eagle3", "draft_target", "pard", neutral=("auto",), examples=("dummy",)),
    ] = None
    """How the draft's weights are loaded; `dummy` generates random weights."""

    acceptance_window: Annotated[
        int | None,
        Field(ge=0),
        of_methods(*PYTORCH_METHODS, unit="requests", examples=(16,), example_context=OLD),
        Only("1.2"),
    ] = None
    """Requests over which the accepted length is averaged; 0 turns the check off."""

    acceptance_length_threshold: Annotated[
        float | None,
        Field(ge=0),
        of_methods(*PYTORCH_METHODS, unit="tokens", examples=(1.5,), example_context=OLD),
        Only("1.2"),
    ] = None
    """Accepted length below which speculation ends."""

    acceptance_rate_window_size: Annotated[
        int | None,
        Field(ge=0),
        of_methods(*PYTORCH_METHODS, unit="iterations", examples=(16,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Iterations over which the accepted share is averaged; 0 turns the check off."""

    acceptance_rate_threshold: Annotated[
        float | None,
        Field(ge=0, le=1),
        of_methods(*PYTORCH_METHODS, unit="ratio", examples=(0.5,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Accepted share below which speculation stops."""

    allow_advanced_sampling: Annotated[
        bool | None, of_methods(*PYTORCH_METHODS, neutral=(False,), examples=(True,))
    ] = None
    """Whether methods inside the model's forward pass may sample; otherwise they are greedy."""

    use_rejection_sampling: Annotated[
        bool | None,
        of_methods(*REJECTION_METHODS, neutral=(False,), examples=(True,), example_context=NEW),
        Only("1.3"),
    ] = None
    """Whether rejection sampling gives outputs the distribution that they have without drafts."""
