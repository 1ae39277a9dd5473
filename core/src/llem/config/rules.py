"""Combinations that no backend can honour, and the evaluation of every rule."""

from __future__ import annotations

from collections.abc import Iterator

from llem.api.capability import BackendInfo
from llem.api.config import DecoderConfig, Experiment, Rule
from llem.api.finding import Finding

SAMPLING = ("top_p", "top_k", "min_p", "typical_p")
"""Decoder fields that act only when sampling."""

CORE_OWNED = frozenset({"temperature", "do_sample", "seed", "ignore_eos", "max_new_tokens"})
"""Decoder fields that core interprets itself, so that every backend honours them."""


def _samples_coldly(experiment: Experiment) -> bool:
    return experiment.decoder.do_sample is True and experiment.decoder.temperature == 0


def _warms_greedily(experiment: Experiment) -> bool:
    temperature = experiment.decoder.temperature
    return experiment.decoder.do_sample is False and temperature is not None and temperature > 0


def _shapes_greedily(experiment: Experiment) -> bool:
    decoder = experiment.decoder
    return decoder.samples is False and any(getattr(decoder, name) is not None for name in SAMPLING)


def _ends_without_eos(experiment: Experiment) -> bool:
    decoder = experiment.decoder
    return experiment.ignores_eos and (
        decoder.min_new_tokens is not None or decoder.stop is not None
    )


def _is_without_revision(experiment: Experiment) -> bool:
    return experiment.model.revision is not None and experiment.model.is_shape


def _pretrained_shape(experiment: Experiment) -> bool:
    return experiment.model.is_shape and experiment.model.weights == "pretrained"


def _gguf_without_weights(experiment: Experiment) -> bool:
    return experiment.model.gguf_file is not None and experiment.model.random_weights


def _duration_caps(experiment: Experiment) -> bool:
    return experiment.measurement.min_duration_s > experiment.measurement.max_duration_s


def _repetition_caps(experiment: Experiment) -> bool:
    return experiment.measurement.min_repetitions > experiment.measurement.max_repetitions


def _warmup_caps(experiment: Experiment) -> bool:
    warmup = experiment.measurement.warmup
    return warmup.min_repetitions > warmup.max_repetitions


def _unmeasured_idle(experiment: Experiment) -> bool:
    baseline = experiment.measurement.baseline
    metered_s = baseline.bare_s if baseline.subtract == "bare" else baseline.loaded_s
    return metered_s == 0 and (baseline.bare_s > 0 or baseline.loaded_s > 0)


def _cpu_power_order(experiment: Experiment) -> bool:
    measurement = experiment.measurement
    return (
        measurement.cpu_tdp_w is not None
        and measurement.cpu_idle_w is not None
        and measurement.cpu_idle_w > measurement.cpu_tdp_w
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "sampling-needs-temperature",
        ("decoder.temperature", "decoder.do_sample"),
        "sampling at temperature 0 is greedy decoding under another name",
        "Set decoder.temperature above 0, or null to leave it to the engine.",
        _samples_coldly,
    ),
    Rule(
        "greedy-ignores-temperature",
        ("decoder.temperature", "decoder.do_sample"),
        "greedy decoding ignores the temperature",
        "Remove decoder.temperature, or set decoder.do_sample: true.",
        _warms_greedily,
    ),
    Rule(
        "greedy-ignores-sampling",
        tuple(f"decoder.{name}" for name in SAMPLING),
        "these settings act only when sampling, and decoding is greedy",
        "Set decoder.temperature above 0, or remove them.",
        _shapes_greedily,
    ),
    Rule(
        "ignored-eos-has-no-end",
        ("decoder.ignore_eos", "decoder.min_new_tokens", "decoder.stop"),
        "with EOS ignored every request gets its full length, so nothing else can end it",
        "Set decoder.ignore_eos: false, or remove decoder.min_new_tokens and decoder.stop.",
        _ends_without_eos,
    ),
    Rule(
        "shape-has-no-revision",
        ("model.revision", "model.id"),
        "an embedded shape has no revisions",
        "Remove model.revision.",
        _is_without_revision,
    ),
    Rule(
        "shape-has-no-weights",
        ("model.weights", "model.id"),
        "an embedded shape has no pretrained weights",
        "Set model.weights: random, or remove it.",
        _pretrained_shape,
    ),
    Rule(
        "gguf-has-weights",
        ("model.gguf_file", "model.weights"),
        "a GGUF file is there for its weights, and random ones were asked for",
        "Remove model.gguf_file or model.weights: random.",
        _gguf_without_weights,
    ),
    Rule(
        "duration-bounds",
        ("measurement.min_duration_s", "measurement.max_duration_s"),
        "the least duration exceeds the greatest",
        "Raise measurement.max_duration_s.",
        _duration_caps,
    ),
    Rule(
        "repetition-bounds",
        ("measurement.min_repetitions", "measurement.max_repetitions"),
        "the least number of repetitions exceeds the greatest",
        "Raise measurement.max_repetitions.",
        _repetition_caps,
    ),
    Rule(
        "warmup-bounds",
        ("measurement.warmup.min_repetitions", "measurement.warmup.max_repetitions"),
        "the least number of warm-up repetitions exceeds the greatest",
        "Raise measurement.warmup.max_repetitions.",
        _warmup_caps,
    ),
    Rule(
        "baseline-is-metered",
        ("measurement.baseline.subtract",),
        "the idle power to subtract is not metered",
        "Subtract the one that is, or give it some seconds.",
        _unmeasured_idle,
    ),
    Rule(
        "cpu-power-order",
        ("measurement.cpu_idle_w", "measurement.cpu_tdp_w"),
        "the idle power exceeds the power under full load",
        "Lower measurement.cpu_idle_w.",
        _cpu_power_order,
    ),
)
"""Rules over the sections that all backends share."""


def violations(experiment: Experiment, info: BackendInfo) -> Iterator[Finding]:
    """Yield an error for every rule that ``experiment`` breaks, core's and the backend's."""
    for rule in (*RULES, *type(experiment.section).rules):
        if rule.violated(experiment):
            yield Finding(rule.name, rule.reason, path=rule.fields[0], remedy=rule.remedy)
    yield from _unsupported(experiment, info)


def _unsupported(experiment: Experiment, info: BackendInfo) -> Iterator[Finding]:
    """Yield an error for every decoder field the backend would silently drop."""
    honoured = info.decoder_parameters | CORE_OWNED
    for name in DecoderConfig.model_fields:
        if name not in honoured and getattr(experiment.decoder, name) is not None:
            yield Finding(
                "decoder-unsupported",
                f"backend {info.name!r} does not support decoder.{name}",
                path=f"decoder.{name}",
                remedy="Remove it, or choose another backend.",
            )


def remarks(experiment: Experiment) -> Iterator[Finding]:
    """Yield a warning for whatever is allowed and worth knowing."""
    for call, arguments in experiment.passthrough_kwargs.items():
        yield Finding(
            "passthrough",
            f"passed on unchecked: {', '.join(sorted(arguments))}",
            severity="warning",
            path=f"passthrough_kwargs.{call}",
        )
    if experiment.model.trust_remote_code:
        yield Finding(
            "remote-code",
            "Python code that ships with the model will be executed",
            severity="warning",
            path="model.trust_remote_code",
        )
