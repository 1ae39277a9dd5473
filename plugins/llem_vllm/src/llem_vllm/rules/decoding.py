"""What sampling and beam search can and cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llem.schema.experiment import Experiment, Rule
from llem.schema.fields import value_at
from llem_vllm.rules.section import section_of

if TYPE_CHECKING:
    from llem_vllm.config import VLLMConfig

DEFAULT_MAX_LOGPROBS = 20
"""Log-probabilities that vLLM lets a request ask for by default."""

LEAST_TEMPERATURE = 0.01
"""vLLM raises lower ones to it."""

NOT_IN_BEAM_SEARCH = (
    "decoder.repetition_penalty",
    "decoder.min_new_tokens",
    "decoder.stop",
    "vllm.sampling",
    "vllm.speculative_config",
)
"""Fields that ``LLM.beam_search`` has no parameter for, or cannot work with."""


def _asked_logprobs(experiment: Experiment) -> int:
    section = section_of(experiment)
    if section.beam_search is not None:
        return 2 * (section.beam_search.beam_width or 0)
    if section.sampling is None:
        return 0
    return max(section.sampling.logprobs or 0, section.sampling.prompt_logprobs or 0)


def _too_many_logprobs(experiment: Experiment, section: VLLMConfig) -> bool:
    allowed = section.max_logprobs or DEFAULT_MAX_LOGPROBS
    return _asked_logprobs(experiment) > allowed


def _almost_greedy(experiment: Experiment, section: VLLMConfig) -> bool:
    temperature = experiment.decoder.temperature
    return temperature is not None and 0 < temperature < LEAST_TEMPERATURE


def _stop_without_text(experiment: Experiment, section: VLLMConfig) -> bool:
    sampling = section.sampling
    silent = sampling is not None and sampling.detokenize is False
    return silent and bool(experiment.decoder.stop)


def _ended_early(experiment: Experiment, section: VLLMConfig) -> bool:
    sampling = section.sampling
    return experiment.ignores_eos and sampling is not None and bool(sampling.stop_token_ids)


def _searches(experiment: Experiment) -> bool:
    return section_of(experiment).beam_search is not None


def _search_without_width(experiment: Experiment, section: VLLMConfig) -> bool:
    search = section.beam_search
    return search is not None and search.beam_width is None


def _search_with_sampling(experiment: Experiment, section: VLLMConfig) -> bool:
    return _searches(experiment) and experiment.decoder.samples is not False


def _search_of_drawn_lengths(experiment: Experiment, section: VLLMConfig) -> bool:
    return _searches(experiment) and not isinstance(experiment.workload.output_tokens, int)


def _no_beam_search_with(path: str) -> Rule[VLLMConfig]:
    def violated(experiment: Experiment, section: VLLMConfig) -> bool:
        return _searches(experiment) and value_at(experiment, path) is not None

    return Rule(
        name=f"vllm-beam-search-has-no-{path.rpartition('.')[2].replace('_', '-')}",
        fields=(path, "vllm.beam_search.beam_width"),
        reason="beam search of vLLM does not know it",
        hint=f"Remove {path} or vllm.beam_search.",
        violated=violated,
    )


DECODING_RULES = (
    Rule(
        name="vllm-logprobs-are-allowed",
        fields=(
            "vllm.max_logprobs",
            "vllm.sampling.logprobs",
            "vllm.sampling.prompt_logprobs",
            "vllm.beam_search.beam_width",
        ),
        reason=f"more are asked for than that, or than {DEFAULT_MAX_LOGPROBS}, which is the "
        "default; beam search asks for two for each beam",
        hint="Raise vllm.max_logprobs, or ask for fewer.",
        violated=_too_many_logprobs,
    ),
    Rule(
        name="vllm-temperature-is-not-raised",
        fields=("decoder.temperature",),
        reason=f"vLLM raises temperatures below {LEAST_TEMPERATURE} to it",
        hint=f"Use 0 for greedy decoding, or {LEAST_TEMPERATURE} and more.",
        violated=_almost_greedy,
    ),
    Rule(
        name="vllm-top-p-is-above-zero",
        fields=("decoder.top_p",),
        reason="vLLM refuses 0",
        hint="Use decoder.top_k: 1 for the likeliest token, or a share above 0.",
        violated=lambda experiment, _: experiment.decoder.top_p == 0,
    ),
    Rule(
        name="vllm-stop-needs-text",
        fields=("decoder.stop", "vllm.sampling.detokenize"),
        reason="stop texts are found in the text, and none is made",
        hint="Remove vllm.sampling.detokenize.",
        violated=_stop_without_text,
    ),
    Rule(
        name="vllm-ignored-eos-needs-full-length",
        fields=("vllm.sampling.stop_token_ids", "decoder.ignore_eos"),
        reason="with EOS ignored each request gets its full length, so no token may end it",
        hint="Remove vllm.sampling.stop_token_ids, or set decoder.ignore_eos: false.",
        violated=_ended_early,
    ),
    Rule(
        name="vllm-beam-search-needs-a-width",
        fields=("vllm.beam_search.beam_width",),
        reason="beam search has to know how many beams there are",
        hint="Set vllm.beam_search.beam_width.",
        violated=_search_without_width,
    ),
    Rule(
        name="vllm-beam-search-does-not-sample",
        fields=("decoder.temperature", "decoder.do_sample", "vllm.beam_search.beam_width"),
        reason="beam search keeps the likeliest sequences and draws none",
        hint="Set decoder.temperature to 0, or remove vllm.beam_search.",
        violated=_search_with_sampling,
    ),
    Rule(
        name="vllm-beam-search-has-one-length",
        fields=("workload.output_tokens", "vllm.beam_search.beam_width"),
        reason="one call of beam search has one length for all requests",
        hint="Set workload.output_tokens to a number.",
        violated=_search_of_drawn_lengths,
    ),
    *map(_no_beam_search_with, NOT_IN_BEAM_SEARCH),
)
"""Rules of decoding."""
