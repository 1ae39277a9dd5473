"""Combinations of shared settings that no backend can honor."""

from __future__ import annotations

from llem.schema.decoder import SAMPLING_FIELDS
from llem.schema.experiment import BackendConfig, Experiment, Rule
from llem.schema.fields import acts

NO_WISH_TO_SAMPLE = {"temperature": 1, "top_k": 50}
"""Defaults of engines that would act if anything sampled; greedy decoding may state them."""


def _wishes_to_sample(experiment: Experiment, name: str) -> bool:
    """Whether a sampling parameter has a value that no engine has by default."""
    value = getattr(experiment.decoder, name)
    return acts(experiment, f"decoder.{name}") and value != NO_WISH_TO_SAMPLE.get(name)


def _dormant(name: str) -> Rule[BackendConfig]:
    """Return the rule that refuses a sampling parameter under greedy decoding."""

    def violated(experiment: Experiment, section: BackendConfig) -> bool:
        return not experiment.decoder.samples and _wishes_to_sample(experiment, name)

    return Rule(
        name=f"greedy-ignores-{name.replace('_', '-')}",
        fields=(f"decoder.{name}", "decoder.temperature", "decoder.do_sample"),
        reason=f"{name} acts only when sampling, and decoding is greedy",
        hint=f"Set decoder.temperature above 0, or remove decoder.{name}.",
        violated=violated,
    )


def _least_longer_than_limit(experiment: Experiment, section: BackendConfig) -> bool:
    least = experiment.decoder.min_new_tokens
    limits = [experiment.decoder.max_new_tokens, experiment.workload.output_tokens]
    # A drawn length is checked by its lower end, if it has one that is written down.
    known = [getattr(limit, "low", limit) for limit in limits]
    return least is not None and any(isinstance(limit, int) and limit < least for limit in known)


def _ordered(least: str, greatest: str) -> Rule[BackendConfig]:
    """Return the rule that refuses a lower bound above its upper bound."""
    section, _, name = greatest.rpartition(".")
    rule_name = f"{section.rpartition('.')[2]}-{name.replace('_', '-')}-bounds"
    return Rule.at_most(least, greatest, name=rule_name)


def _unmetered_idle(experiment: Experiment, section: BackendConfig) -> bool:
    baseline = experiment.measurement.baseline
    metered_s = {"bare": baseline.bare_s, "loaded": baseline.loaded_s}
    # With no idle time at all there is no net energy, and the outcome says so.
    return metered_s[baseline.subtract] == 0 and any(metered_s.values())


def _never_precise(experiment: Experiment, section: BackendConfig) -> bool:
    measurement = experiment.measurement
    allowed = "precision-not-reached" in measurement.thresholds.allow
    return measurement.max_repetitions < 2 and not allowed


LEAST_WARMUP = {"variation": 3, "trend": 6, "fixed": 0}
"""Repetitions by which a strategy judges whether the workload is warm."""


def _never_warm(experiment: Experiment, section: BackendConfig) -> bool:
    measurement, warmup = experiment.measurement, experiment.measurement.warmup
    allowed = "warmup-not-converged" in measurement.thresholds.allow
    return 0 < warmup.max_repetitions < LEAST_WARMUP[warmup.strategy] and not allowed


RULES: tuple[Rule[BackendConfig], ...] = (
    Rule(
        name="sampling-needs-temperature",
        fields=("decoder.do_sample", "decoder.temperature"),
        reason="sampling at temperature 0 is greedy decoding",
        hint="Set decoder.temperature above 0, or to null for 1.",
        violated=lambda experiment, _: (
            experiment.decoder.do_sample is True and experiment.decoder.temperature == 0
        ),
    ),
    Rule(
        name="greedy-ignores-temperature",
        fields=("decoder.temperature", "decoder.do_sample"),
        reason="the temperature acts only when sampling, and decoding is greedy",
        hint="Remove decoder.temperature, or decoder.do_sample: false.",
        violated=lambda experiment, _: (
            experiment.decoder.do_sample is False and _wishes_to_sample(experiment, "temperature")
        ),
    ),
    *(_dormant(name) for name in SAMPLING_FIELDS if name != "temperature"),
    Rule(
        name="ignored-eos-needs-no-minimum",
        fields=("decoder.min_new_tokens", "decoder.ignore_eos"),
        reason="it holds EOS back, and here EOS is ignored, as always with synthetic prompts",
        hint="Remove decoder.min_new_tokens, or set decoder.ignore_eos: false.",
        violated=lambda experiment, _: (
            experiment.ignores_eos and bool(experiment.decoder.min_new_tokens)
        ),
    ),
    Rule(
        name="ignored-eos-needs-full-length",
        fields=("decoder.stop", "decoder.ignore_eos"),
        reason="with EOS ignored each request gets its full length, so no text may end it",
        hint="Remove decoder.stop, or set decoder.ignore_eos: false.",
        violated=lambda experiment, _: experiment.ignores_eos and bool(experiment.decoder.stop),
    ),
    Rule(
        name="least-output-fits-limit",
        fields=("decoder.min_new_tokens", "decoder.max_new_tokens", "workload.output_tokens"),
        reason="some requests may not get that many output tokens",
        hint="Lower decoder.min_new_tokens, or raise workload.output_tokens or "
        "decoder.max_new_tokens.",
        violated=_least_longer_than_limit,
    ),
    Rule(
        name="shape-has-no-revision",
        fields=("model.revision", "model.id"),
        reason="an embedded shape has no revisions",
        hint="Remove model.revision.",
        violated=lambda experiment, _: (
            experiment.model.is_shape and acts(experiment, "model.revision")
        ),
    ),
    Rule(
        name="shape-has-no-weights",
        fields=("model.weights", "model.id"),
        reason="an embedded shape has no pretrained weights",
        hint="Set model.weights: random, or remove it.",
        violated=lambda experiment, _: (
            experiment.model.is_shape and experiment.model.weights == "pretrained"
        ),
    ),
    Rule(
        name="shape-has-no-gguf-file",
        fields=("model.gguf_file", "model.id"),
        reason="an embedded shape has no GGUF file",
        hint="Name the folder or hub repository that has it with model.id.",
        violated=lambda experiment, _: (
            experiment.model.is_shape and experiment.model.gguf_file is not None
        ),
    ),
    Rule(
        name="gguf-file-has-weights",
        fields=("model.gguf_file", "model.weights"),
        reason="a GGUF file is there for its weights, and random ones are asked for",
        hint="Remove model.gguf_file, or model.weights: random.",
        violated=lambda experiment, _: (
            experiment.model.gguf_file is not None and experiment.model.weights == "random"
        ),
    ),
    _ordered("measurement.min_duration_s", "measurement.max_duration_s"),
    _ordered("measurement.min_repetitions", "measurement.max_repetitions"),
    _ordered("measurement.warmup.min_repetitions", "measurement.warmup.max_repetitions"),
    _ordered("measurement.cpu_idle_w", "measurement.cpu_tdp_w"),
    Rule(
        name="precision-needs-two-repetitions",
        fields=("measurement.max_repetitions",),
        reason="a confidence interval needs two repetitions, so the outcome cannot become valid",
        hint="Raise it, or list precision-not-reached in measurement.thresholds.allow.",
        violated=_never_precise,
        severity="warning",
    ),
    Rule(
        name="warmup-strategy-needs-repetitions",
        fields=("measurement.warmup.max_repetitions", "measurement.warmup.strategy"),
        reason="variation is judged by three repetitions and trend by six, so the outcome cannot "
        "become valid",
        hint="Raise it, or set strategy: fixed.",
        violated=_never_warm,
        severity="warning",
    ),
    Rule(
        name="subtracted-idle-is-metered",
        fields=(
            "measurement.baseline.subtract",
            "measurement.baseline.bare_s",
            "measurement.baseline.loaded_s",
        ),
        reason="the idle power to subtract is not metered",
        hint="Subtract the one that is, or give this one some seconds.",
        violated=_unmetered_idle,
    ),
)
"""Rules over the sections that all backends share."""
