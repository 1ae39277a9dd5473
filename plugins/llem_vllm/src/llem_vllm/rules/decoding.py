"""Limits of sampling and beam search."""

from __future__ import annotations

from llem.api import Experiment, Rule
from llem.schema.fields import acts
from llem_vllm.config import VLLMFields

DEFAULT_MAX_LOGPROBS = 20
"""Number of log-probabilities that vLLM allows a request by default."""

LEAST_TEMPERATURE = 0.01
"""vLLM raises lower temperatures to this one."""

NOT_IN_BEAM_SEARCH = (
    "decoder.repetition_penalty",
    "decoder.min_new_tokens",
    "decoder.stop",
    "vllm.speculative_config",
)
"""Fields that ``LLM.beam_search`` has no parameter for, or cannot work with."""


def _too_many_logprobs(experiment: Experiment, section: VLLMFields) -> bool:
    sampling, search = section.sampling, section.beam_search
    if search is not None:
        requested = 2 * (search.beam_width or 0)
    elif sampling is not None:
        requested = max(sampling.logprobs or 0, sampling.prompt_logprobs or 0)
    else:
        requested = 0
    return requested > (section.max_logprobs or DEFAULT_MAX_LOGPROBS)


def _almost_greedy(experiment: Experiment, section: VLLMFields) -> bool:
    temperature = experiment.decoder.temperature
    return temperature is not None and 0 < temperature < LEAST_TEMPERATURE


def _stop_without_text(experiment: Experiment, section: VLLMFields) -> bool:
    sampling = section.sampling
    silent = sampling is not None and sampling.detokenize is False
    return silent and bool(experiment.decoder.stop)


def _ended_early(experiment: Experiment, section: VLLMFields) -> bool:
    sampling = section.sampling
    return experiment.ignores_eos and sampling is not None and bool(sampling.stop_token_ids)


def _search_without_width(experiment: Experiment, section: VLLMFields) -> bool:
    return acts(experiment, "vllm.beam_search") and not section.searches


def _search_with_sampling(experiment: Experiment, section: VLLMFields) -> bool:
    return section.searches and experiment.decoder.samples


def _search_of_drawn_lengths(experiment: Experiment, section: VLLMFields) -> bool:
    return section.searches and not isinstance(experiment.workload.output_tokens, int)


def _not_in_beam_search(path: str) -> Rule[VLLMFields]:
    def violated(experiment: Experiment, section: VLLMFields) -> bool:
        return section.searches and acts(experiment, path)

    return Rule(
        name=f"vllm-beam-search-has-no-{path.rpartition('.')[2].replace('_', '-')}",
        fields=(path, "vllm.beam_search.beam_width"),
        reason="beam search of vLLM does not support it",
        hint=f"Remove {path} or vllm.beam_search.",
        violated=violated,
        excludes=("vllm.beam_search.beam_width",),
    )


DECODING_RULES: tuple[Rule[VLLMFields], ...] = (
    Rule(
        name="vllm-logprobs-are-allowed",
        fields=(
            "vllm.max_logprobs",
            "vllm.sampling.logprobs",
            "vllm.sampling.prompt_logprobs",
            "vllm.beam_search.beam_width",
        ),
        reason=f"requests need more log-probabilities than that, or than the default of "
        f"{DEFAULT_MAX_LOGPROBS}; beam search needs two for each beam",
        hint="Raise vllm.max_logprobs, or request fewer.",
        violated=_too_many_logprobs,
    ),
    Rule(
        name="vllm-temperature-is-not-raised",
        fields=("decoder.temperature",),
        reason=f"vLLM raises temperatures below {LEAST_TEMPERATURE} to it",
        hint=f"Use 0 for greedy decoding, or at least {LEAST_TEMPERATURE}.",
        violated=_almost_greedy,
    ),
    Rule(
        name="vllm-top-p-is-above-zero",
        fields=("decoder.top_p",),
        reason="vLLM refuses 0",
        hint="Use decoder.top_k: 1 for the likeliest token, or a share above 0.",
        violated=lambda experiment, section: experiment.decoder.top_p == 0,
    ),
    Rule(
        name="vllm-stop-needs-text",
        fields=("decoder.stop", "vllm.sampling.detokenize"),
        reason="vLLM finds stop texts in the text, and detokenize: false makes no text",
        hint="Remove vllm.sampling.detokenize.",
        violated=_stop_without_text,
    ),
    Rule(
        name="vllm-ignored-eos-needs-full-length",
        fields=("vllm.sampling.stop_token_ids", "decoder.ignore_eos"),
        reason="with EOS ignored, every request gets its full length, so no token may end it",
        hint="Remove vllm.sampling.stop_token_ids, or set decoder.ignore_eos: false.",
        violated=_ended_early,
    ),
    Rule(
        name="vllm-beam-search-needs-a-width",
        fields=("vllm.beam_search.beam_width",),
        reason="beam search needs a number of beams",
        hint="Set vllm.beam_search.beam_width.",
        violated=_search_without_width,
    ),
    Rule(
        name="vllm-beam-search-does-not-sample",
        fields=("decoder.temperature", "decoder.do_sample", "vllm.beam_search.beam_width"),
        reason="beam search keeps the likeliest sequences and does not sample",
        hint="Set decoder.temperature to 0, or remove vllm.beam_search.",
        violated=_search_with_sampling,
        excludes=("vllm.beam_search.beam_width",),
    ),
    Rule(
        name="vllm-beam-search-has-one-length",
        fields=("workload.output_tokens", "vllm.beam_search.beam_width"),
        reason="a call of beam search has the same length for all requests",
        hint="Set workload.output_tokens to a number.",
        violated=_search_of_drawn_lengths,
    ),
    *map(_not_in_beam_search, NOT_IN_BEAM_SEARCH),
)
"""Rules of decoding."""
