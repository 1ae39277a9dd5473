"""Speculative decoding: cheap drafts that the model checks, several tokens a step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from llem.api import IS_SET, BackendConfig, EngineArg, Param

STATIC = {"pytorch.batching": (None, "static")}
ASSISTED = {"pytorch.assistant_model": IS_SET}
OFF_AT_ZERO = AfterValidator(lambda number: number or None)
"""Makes 0 unset: transformers documents numbers above 0 alone as switching the field on."""


# transformers reads these from the drafting model's own generation config: given to `generate()` of
# the main model they would change nothing.
class DraftSettings(BackendConfig, feeds="draft_settings"):
    """How the drafting model drafts."""

    num_assistant_tokens: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(
            unit="tokens",
            example_context={"pytorch.assistant_early_exit": 1},
            neutral=(20,),
            examples=(5, 10),
        ),
    ] = None
    """Tokens drafted per step; the first step's number where a schedule changes it."""

    num_assistant_tokens_schedule: Annotated[
        Literal["heuristic", "heuristic_transient", "constant"] | None,
        Param(
            example_context={"pytorch.assistant_early_exit": 1},
            neutral=("constant",),
            examples=("constant", "heuristic"),
        ),
    ] = None
    """Whether that number grows by 2 after a draft that was right and shrinks by 1 otherwise, for
    all requests of a run (`heuristic`) or anew for each (`heuristic_transient`)."""

    assistant_confidence_threshold: Annotated[
        float | None,
        Field(ge=0, le=1),
        Param(
            unit="probability",
            example_context={"pytorch.assistant_early_exit": 1},
            neutral=(0.4,),
            examples=(0.4,),
        ),
    ] = None
    """A draft ends at a token less likely than this; 0 never ends it."""

    assistant_lookbehind: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(
            unit="tokens",
            requires={"pytorch.assistant_tokenizer": IS_SET},
            neutral=(10,),
            examples=(10,),
        ),
    ] = None
    """Draft tokens that are translated again, so that both tokenizers align."""

    target_lookbehind: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(
            unit="tokens",
            requires={"pytorch.assistant_tokenizer": IS_SET},
            neutral=(10,),
            examples=(10,),
        ),
    ] = None
    """The model's tokens that are translated again, so that both tokenizers align."""


class Speculation(DraftSettings, feeds="generate"):
    """Who drafts, and how much."""

    prompt_lookup_num_tokens: Annotated[
        int | None,
        Field(ge=0, le=1024),
        OFF_AT_ZERO,
        Param(
            unit="tokens",
            requires=STATIC,
            conflicts_with=(
                "pytorch.assistant_model",
                "pytorch.assistant_early_exit",
                "pytorch.use_mtp",
            ),
            examples=(5, 10),
        ),
    ] = None
    """Draft this many tokens by looking the latest ones up in the text so far; 0 drafts none."""

    max_matching_ngram_size: Annotated[
        int | None,
        Field(ge=1, le=1024),
        Param(
            unit="tokens",
            requires={"pytorch.prompt_lookup_num_tokens": IS_SET},
            neutral=(2,),
            examples=(2, 3),
        ),
    ] = None
    """Latest tokens that are looked up at most; unset is 2."""

    assistant_model: Annotated[
        str | None,
        Field(min_length=1),
        Param(
            maps_to=EngineArg("assistant", "pretrained_model_name_or_path"),
            requires=STATIC,
            conflicts_with=("pytorch.assistant_early_exit", "pytorch.use_mtp"),
            examples=("HuggingFaceTB/SmolLM2-135M-Instruct",),
        ),
    ] = None
    """Hub id or folder of a smaller model that drafts, loaded in the type of the main model and
    onto its device."""

    assistant_revision: Annotated[
        str | None,
        Field(min_length=1),
        Param(
            maps_to=EngineArg("assistant", "revision"),
            requires=ASSISTED,
            neutral=("main",),
            examples=("main",),
        ),
    ] = None
    """Branch, tag or commit of the assistant."""

    assistant_tokenizer: Annotated[
        str | None,
        Field(min_length=1),
        Param(
            maps_to=EngineArg("assistant_tokenizer", "pretrained_model_name_or_path"),
            requires=ASSISTED,
            examples=("HuggingFaceTB/SmolLM2-135M-Instruct",),
        ),
    ] = None
    """Hub id or folder of the assistant's tokenizer, if it is another one than the model's; drafts
    are then translated."""

    assistant_early_exit: Annotated[
        int | None,
        Field(ge=0, le=4096),
        OFF_AT_ZERO,
        Param(unit="layers", requires=STATIC, conflicts_with=("pytorch.use_mtp",), examples=(4,)),
    ] = None
    """Draft with this many first layers of the model itself; 0 does not."""

    use_mtp: Annotated[
        bool | None, Param(requires=STATIC, neutral=(False,), examples=(True, False))
    ] = None
    """Whether the model drafts with its own multi-token-prediction heads, if it has any."""

    speculation_type: Annotated[
        Literal["dflash"] | None, Param(requires=ASSISTED, examples=("dflash",))
    ] = None
    """How an assistant made for it drafts: `dflash` fills a block at once."""

    assistant_ensemble_weight: Annotated[
        float | None,
        Field(ge=0, le=1),
        AfterValidator(lambda weight: None if weight in (0, 1) else weight),
        Param(unit="ratio", requires=ASSISTED, examples=(0.5,)),
    ] = None
    """Weight of the model against its assistant in what drafts are checked against; the output is
    then no longer the model's own. 0 and 1 are off: drafts are checked against the model alone."""

    @property
    def drafts_with_a_model(self) -> bool:
        """Whether a model drafts: an assistant, or part of the model itself."""
        return bool(self.assistant_model or self.assistant_early_exit or self.use_mtp)

    @property
    def speculates(self) -> bool:
        """Whether tokens are drafted."""
        return self.prompt_lookup_num_tokens is not None or self.drafts_with_a_model
