"""What sets an argument that no field of the backend's own section does."""

from __future__ import annotations

from llem_pytorch.section import SAMPLING_FIELDS

SHARED = {
    ("load_config", "pretrained_model_name_or_path"): "model.id",
    ("load_config", "revision"): "model.revision",
    ("load_config", "trust_remote_code"): "model.trust_remote_code",
    ("load", "pretrained_model_name_or_path"): "model.id",
    ("load", "config"): "llem: the config of random weights",
    ("load", "dtype"): "model.dtype",
    ("load", "gguf_file"): "model.gguf_file",
    ("load", "output_loading_info"): "llem: the call returns the model alone",
    ("load", "quantization_config"): "model.gguf_file",
    ("load", "revision"): "model.revision",
    ("load", "state_dict"): "llem: weights come from model.id",
    ("load", "torch_dtype"): "model.dtype",
    ("load", "trust_remote_code"): "model.trust_remote_code",
    ("tokenizer", "gguf_file"): "model.gguf_file",
    ("tokenizer", "pretrained_model_name_or_path"): "model.tokenizer",
    ("tokenizer", "revision"): "model.revision",
    ("tokenizer", "trust_remote_code"): "model.trust_remote_code",
    ("assistant", "dtype"): "model.dtype",
    ("assistant", "trust_remote_code"): "model.trust_remote_code",
    ("generate", "do_sample"): "decoder.do_sample",
    ("generate", "temperature"): "decoder.temperature",
    ("generate", "eos_token_id"): "decoder.ignore_eos",
    ("generate", "generation_config"): "llem: its parts are arguments of their own",
    ("generate", "input_ids"): "llem: the prompts of the workload",
    ("generate", "inputs"): "llem: the prompts of the workload",
    ("generate", "max_length"): "llem: output lengths are those of workload.output_tokens",
    ("generate", "max_new_tokens"): "decoder.max_new_tokens",
    ("generate", "max_time"): "llem: a clock must not decide how much work is measured",
    ("generate", "min_length"): "llem: decoder.min_new_tokens counts without the prompt",
    ("generate", "min_new_tokens"): "decoder.min_new_tokens",
    ("generate", "pad_token_id"): "llem: padding is masked, so any id does",
    ("generate", "repetition_penalty"): "decoder.repetition_penalty",
    ("generate", "return_dict_in_generate"): "llem: only the tokens are kept",
    ("generate", "stop_strings"): "decoder.stop",
    ("generate", "stopping_criteria"): "llem: limits of single requests, and decoder.stop",
    ("generate", "streamer"): "llem: takes the time of each token",
    **{("generate", name): f"decoder.{name}" for name in SAMPLING_FIELDS},
    ("settings", "seed"): "decoder.seed",
    ("settings", "ignore_eos"): "decoder.ignore_eos",
    ("settings", "stop"): "decoder.stop",
}
"""The path of a shared field, or the reason why llem decides."""
