"""Settings of speculative decoding that only one or two methods have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from llem.api import EngineArg, Section
from llem_trt.config.methods import of_methods
from llem_trt.versions import Only


class EagleFields(Section, feeds="load.speculative_config"):
    """EAGLE: a small draft model that reads the model's own states."""

    eagle_choices: Annotated[
        tuple[tuple[int, ...], ...] | None,
        Field(min_length=1),
        of_methods("eagle3", "eagle", examples=(((0,), (0, 0)),)),
    ] = None
    """Fixed tree of drafts, as paths from its root."""

    greedy_sampling: Annotated[
        bool | None, of_methods("eagle3", "eagle", neutral=(True,), examples=(False,))
    ] = None
    """Whether only the likeliest token is accepted as a draft."""

    posterior_threshold: Annotated[
        float | None,
        Field(ge=0, le=1),
        of_methods(
            "eagle3",
            "eagle",
            unit="ratio",
            examples=(0.1,),
            example_context={"trt.speculation.greedy_sampling": False},
        ),
    ] = None
    """Minimum probability of a draft without greedy acceptance."""

    use_dynamic_tree: Annotated[
        bool | None,
        of_methods(
            "eagle3",
            "eagle",
            neutral=(False,),
            examples=(True,),
            example_context={
                "trt.speculation.dynamic_tree_max_top_k": 4,
                "trt.speculation.max_total_draft_tokens": 16,
            },
        ),
    ] = None
    """Whether the tree grows where the draft is most confident."""

    dynamic_tree_max_top_k: Annotated[
        int | None,
        Field(ge=1),
        of_methods(
            "eagle3",
            "eagle",
            maps_to=EngineArg("load", "speculative_config.dynamic_tree_max_topK"),
            unit="tokens",
            examples=(4,),
            example_context={
                "trt.speculation.use_dynamic_tree": True,
                "trt.speculation.max_total_draft_tokens": 16,
            },
        ),
    ] = None
    """Branches of the growing tree in a step."""

    max_non_leaves_per_layer: Annotated[
        int | None,
        Field(ge=1),
        of_methods("eagle3", "eagle", unit="nodes", examples=(8,)),
    ] = None
    """Nodes of a layer of the tree that have branches."""

    eagle3_one_model: Annotated[
        bool | None, of_methods("eagle3", neutral=(True,), examples=(False,))
    ] = None
    """Whether the draft is part of the model's forward pass."""

    eagle3_layers_to_capture: Annotated[
        tuple[int, ...] | None,
        Field(min_length=1),
        of_methods("eagle3", unit="layers", examples=((1, 15, 28),)),
    ] = None
    """Layers of the model whose states feed the draft."""

    eagle3_model_arch: Annotated[
        Literal["llama3", "mistral_large3"] | None,
        of_methods("eagle3", neutral=("llama3",), examples=("mistral_large3",)),
    ] = None
    """Architecture of the draft."""


class MtpFields(Section, feeds="load.speculative_config"):
    """Multi-token prediction: layers of the model that look further ahead."""

    num_nextn_predict_layers: Annotated[
        int | None,
        Field(ge=1, le=64),
        of_methods("mtp", unit="tokens", neutral=(1,), examples=(3,)),
    ] = None
    """Number of tokens to propose; each layer predicts one further ahead."""

    use_mtp_vanilla: Annotated[
        bool | None, of_methods("mtp", neutral=(False,), examples=(True,))
    ] = None
    """Whether the layers run one after the other instead of like an EAGLE draft."""

    mtp_eagle_one_model: Annotated[
        bool | None, of_methods("mtp", neutral=(True,), examples=(False,))
    ] = None
    """Whether the layers are part of the model's forward pass."""

    use_relaxed_acceptance_for_thinking: Annotated[
        bool | None, of_methods("mtp", neutral=(False,), examples=(True,))
    ] = None
    """Whether less likely drafts are accepted while the model reasons."""

    relaxed_topk: Annotated[
        int | None,
        Field(ge=1),
        of_methods(
            "mtp",
            unit="tokens",
            neutral=(1,),
            examples=(5,),
            example_context={"trt.speculation.use_relaxed_acceptance_for_thinking": True},
        ),
    ] = None
    """Number of likeliest tokens that relaxed acceptance accepts."""

    relaxed_delta: Annotated[
        float | None,
        Field(ge=0, le=1),
        of_methods(
            "mtp",
            unit="ratio",
            neutral=(0,),
            examples=(0.1,),
            example_context={"trt.speculation.use_relaxed_acceptance_for_thinking": True},
        ),
    ] = None
    """Maximum distance of an accepted draft from the likeliest token's probability."""

    begin_thinking_phase_token: Annotated[
        int | None,
        Field(ge=0),
        of_methods("mtp", unit="token id", neutral=(128_798,), examples=(151_667,)),
    ] = None
    """Token that begins the reasoning."""

    end_thinking_phase_token: Annotated[
        int | None,
        Field(ge=0),
        of_methods("mtp", unit="token id", neutral=(128_799,), examples=(151_668,)),
    ] = None
    """Token that ends the reasoning."""


class NgramFields(Section, feeds="load.speculative_config"):
    """N-grams: what followed the same tokens before."""

    max_matching_ngram_size: Annotated[
        int | None,
        Field(ge=1, le=1024),
        of_methods("ngram", unit="tokens", neutral=(2,), examples=(4,)),
    ] = None
    """Longest ending of the text to search for in it."""

    is_keep_all: Annotated[bool | None, of_methods("ngram", neutral=(True,), examples=(False,))] = (
        None
    )
    """Whether every continuation seen is kept."""

    is_use_oldest: Annotated[
        bool | None, of_methods("ngram", neutral=(True,), examples=(False,))
    ] = None
    """Whether the oldest continuation is proposed rather than the newest."""

    is_public_pool: Annotated[
        bool | None, of_methods("ngram", neutral=(True,), examples=(False,))
    ] = None
    """Whether requests share the continuations seen."""


class PardFields(Section, feeds="load.speculative_config"):
    """Parallel drafting: one pass of a draft model for all tokens."""

    mask_token_id: Annotated[
        int | None,
        Field(ge=0),
        of_methods("pard", unit="token id", examples=(128_256,)),
        Only("1.3"),
    ] = None
    """Token that stands for tokens to predict; unset takes the draft model's."""


class LegacyFields(Section, feeds="load.speculative_config"):
    """Methods of the legacy TensorRT execution."""

    medusa_choices: Annotated[
        tuple[tuple[int, ...], ...] | None,
        Field(min_length=1),
        of_methods("medusa", examples=(((0,), (0, 0)),)),
        Only("1.2"),
    ] = None
    """Tree of the heads' proposals, as paths from its root."""

    num_medusa_heads: Annotated[
        int | None,
        Field(ge=1, le=64),
        of_methods("medusa", unit="heads", examples=(4,)),
        Only("1.2"),
    ] = None
    """Number of Medusa heads; unset takes the checkpoint's."""

    max_window_size: Annotated[
        int | None,
        Field(ge=1),
        of_methods("lookahead", unit="tokens", examples=(4,)),
        Only("1.2"),
    ] = None
    """Window of lookahead decoding."""

    max_ngram_size: Annotated[
        int | None,
        Field(ge=1),
        of_methods("lookahead", unit="tokens", examples=(3,)),
        Only("1.2"),
    ] = None
    """Tokens of an n-gram of lookahead decoding."""

    max_verification_set_size: Annotated[
        int | None,
        Field(ge=1),
        of_methods("lookahead", unit="n-grams", examples=(4,)),
        Only("1.2"),
    ] = None
    """N-grams that lookahead decoding verifies in a step."""
