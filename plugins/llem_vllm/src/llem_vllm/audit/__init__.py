"""Account for every parameter of vLLM.

Parameters that fields expose are read off the fields; the others are listed here, with the reason
why llem sets them itself or leaves them out.
"""

from __future__ import annotations

from llem.api.parameter_audit import ParameterAudit, Surface
from llem_vllm.audit.engine_args import EXCLUDED as NOT_EXPOSED
from llem_vllm.audit.engine_args import OWNED as DECIDED
from llem_vllm.audit.nested import NESTED
from llem_vllm.audit.requests import REQUESTS
from llem_vllm.plan import SHARED

# The class spells out some arguments of EngineArgs and passes the rest on.
_LLM = (
    "hf_overrides", "hf_token", "logits_processors", "mm_processor_kwargs", "pooler_config",
    "profiler_config", "return_sampling_mask", "runner", "convert", "skip_tokenizer_init",
    "allowed_local_media_path", "allowed_media_domains", "enable_return_routed_experts",
    "structured_outputs_config",
)  # fmt: skip
_LLM_OWNED = ("spec_method", "spec_model", "spec_tokens")

AUDIT = ParameterAudit(
    surfaces=(
        Surface(
            name="vllm.EngineArgs",
            at=("load",),
            owned=DECIDED,
            excluded=NOT_EXPOSED,
        ),
        Surface(
            name="vllm.LLM",
            at=("load",),
            owned={
                **{name: DECIDED[name] for name in _LLM_OWNED},
                "kwargs": "every other argument of EngineArgs",
            },
            excluded={
                **{name: NOT_EXPOSED[name] for name in _LLM},
                "chat_template": "the host applies the template, for every backend alike",
            },
        ),
        *REQUESTS,
        *NESTED,
    ),
    introspect="llem_vllm.runtime.surface.introspect",
    shared=SHARED,
    reference="llem_vllm.reference.read",
)
"""The account of vLLM's parameters."""
