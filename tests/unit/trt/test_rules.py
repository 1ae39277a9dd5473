"""Each combination that TensorRT-LLM refuses, or silently makes something else of."""

import pytest

from llem.config.rule_checks import rules_of
from llem_trt.section import TrtConfig

NEW, OLD = {"trt.surface": "1.3"}, {"trt.surface": "1.2"}
BUILT = {**OLD, "trt.execution": "tensorrt"}
EAGLE = {
    "trt.speculation.method": "eagle3",
    "trt.speculation.speculative_model": "draft",
    "trt.speculation.max_draft_len": 4,
}
NGRAM = {"trt.speculation.method": "ngram", "trt.speculation.max_draft_len": 4}
BEAMS = {"trt.sampling.beam_width": 4, "trt.max_beam_width": 4}
XGRAMMAR = {"trt.guided_decoding_backend": "xgrammar"}
LONG = {"workload": {"source": "synthetic", "input_tokens": 9000, "output_tokens": 1000}}

BROKEN = [
    ("trt-reads-no-gguf", {"model.gguf_file": "m.gguf"}),
    ("trt-has-no-float32", {"model.dtype": "float32"}),
    ("trt-engine-is-quantized-already", {**BUILT, "trt.engine_path": "e", "trt.quantization": {}}),
    ("trt-engine-has-weights", {**BUILT, "trt.engine_path": "e", "model.weights": "random"}),
    ("trt-engine-has-a-dtype", {**BUILT, "trt.engine_path": "e", "model.dtype": "float16"}),
    (
        "trt-checkpoint-quantization-is-read-back",
        {**BUILT, "trt.checkpoint_quantization": "FP8"},
    ),
    (
        "trt-shape-is-not-quantized",
        {"model.id": "shape:tiny", "model.weights": None, "trt.checkpoint_quantization": "FP8"},
    ),
    ("trt-unchunked-prompt-fits-an-iteration", LONG),
    (
        "trt-unchunked-prompt-fits-an-iteration",
        {**LONG, "trt.max_num_tokens": 4096, "trt.context_parallel_size": 2},
    ),
    ("trt-request-fits-a-sequence", {**LONG, "trt.max_seq_len": 9999,
        "trt.enable_chunked_prefill": True}),
    (
        "trt-prompt-fits",
        {**LONG, "trt.max_input_len": 8999, "trt.enable_chunked_prefill": True},
    ),
    ("trt-iteration-holds-every-request", {"trt.max_batch_size": 512, "trt.max_num_tokens": 256}),
    (
        "trt-one-largest-graph",
        {"trt.cuda_graphs": {"batch_sizes": [1, 8], "max_batch_size": 16}},
    ),
    (
        "trt-graphs-fit-batches",
        {"trt.cuda_graphs": {"batch_sizes": [8, 16]}, "trt.max_batch_size": 4},
    ),
    (
        "trt-breakable-graphs-are-not-compiled",
        {**NEW, "trt.prefill_cuda_graph_backend": "breakable", "trt.torch_compile": {}},
    ),
    (
        "trt-piecewise-graphs-are-compiled",
        {
            **NEW,
            "trt.prefill_cuda_graph_backend": "piecewise",
            "trt.torch_compile": {"enabled": False},
        },
    ),
    ("trt-disk-cache-has-a-folder", {**NEW, "trt.kv_cache.disk_cache_size": 1024}),
    ("trt-pools-add-up", {**NEW, "trt.kv_cache.pool_ratio": [0.5, 0.4]}),
    ("trt-block-reuse-is-seen", {"trt.sampling.return_perf_metrics": False}),
    (
        "trt-helix-shares-the-block-size",
        {
            "trt.context_parallel_size": 2,
            "trt.context_parallel": {"cp_type": "HELIX", "tokens_per_block": 64},
        },
    ),
    (
        "trt-experts-fill-the-devices",
        {
            "trt.tensor_parallel_size": 4,
            "trt.moe_tensor_parallel_size": 1,
            "trt.moe_expert_parallel_size": 2,
        },
    ),
    (
        "trt-experts-fill-the-devices",
        {"trt.tensor_parallel_size": 4, "trt.moe_expert_parallel_size": 3},
    ),
    (
        "trt-expert-slots-divide",
        {
            "trt.tensor_parallel_size": 4,
            "trt.moe_expert_parallel_size": 4,
            "trt.experts.load_balancer.num_slots": 6,
        },
    ),
    ("trt-every-stage-has-layers", {"trt.pp_partition": [8, 8], "trt.pipeline_parallel_size": 4}),
    ("trt-context-parallel-needs-ranks", {"trt.context_parallel": {"cp_type": "RING"}}),
    ("trt-attention-dp-needs-ranks", {"trt.enable_attention_dp": True}),
    (
        "trt-speculation-fits-the-execution",
        {**OLD, "trt.speculation.method": "lookahead"},
    ),
    ("trt-speculation-fits-the-execution", {**BUILT, **NGRAM}),
    (
        "trt-speculation-needs-a-draft",
        {"trt.speculation.method": "draft_target", "trt.speculation.max_draft_len": 2},
    ),
    ("trt-speculation-needs-a-length", {"trt.speculation.method": "ngram"}),
    (
        "trt-one-draft-tree",
        {
            **EAGLE,
            "trt.speculation.eagle_choices": [[0]],
            "trt.speculation.use_dynamic_tree": True,
            "trt.speculation.dynamic_tree_max_top_k": 2,
            "trt.speculation.max_total_draft_tokens": 8,
        },
    ),
    ("trt-dynamic-tree-needs-a-size", {**EAGLE, "trt.speculation.use_dynamic_tree": True}),
    (
        "trt-tree-size-needs-a-dynamic-tree",
        {**EAGLE, "trt.speculation.max_total_draft_tokens": 8},
    ),
    ("trt-draft-schedule-fits", {**NGRAM, "trt.speculation.draft_len_schedule": {1: 8}}),
    (
        "trt-draft-schedule-fits",
        {**OLD, **NGRAM, "trt.speculation.draft_len_schedule": {2: 4}},
    ),
    (
        "trt-draft-schedule-or-concurrency",
        {
            **NEW,
            **NGRAM,
            "trt.speculation.draft_len_schedule": {1: 4},
            "trt.speculation.max_concurrency": 8,
        },
    ),
    (
        "trt-rejection-or-relaxed-acceptance",
        {
            **NEW,
            "trt.speculation.method": "mtp",
            "trt.speculation.use_rejection_sampling": True,
            "trt.speculation.use_relaxed_acceptance_for_thinking": True,
        },
    ),
    (
        "trt-posterior-threshold-needs-typical-acceptance",
        {**EAGLE, "trt.speculation.posterior_threshold": 0.1},
    ),
    (
        "trt-relaxed-settings-need-relaxed-acceptance",
        {"trt.speculation.method": "mtp", "trt.speculation.relaxed_topk": 4},
    ),
    ("trt-beams-fit", {"trt.sampling.beam_width": 4}),
    ("trt-beams-do-not-overlap", {**OLD, **BEAMS}),
    ("trt-speculation-needs-a-method", {"trt.speculation": {}}),
    ("trt-sparse-attention-needs-an-algorithm", {"trt.sparse_attention": {}}),
    ("trt-beams-or-speculation", {**BEAMS, **NGRAM}),
    (
        "sampling-guided-decoding-needs-guided-decoding-backend",
        {"trt.sampling.guided_decoding": {"regex": "a"}},
    ),
    ("trt-one-guide", {**XGRAMMAR, "trt.sampling.guided_decoding": {}}),
    (
        "sampling-guided-decoding-grammar-or-sampling-guided-decoding-regex",
        {**XGRAMMAR, "trt.sampling.guided_decoding": {"regex": "a", "grammar": "b"}},
    ),
    # What markers state.
    ("quantization-needs-execution", {**OLD, "trt.quantization": {"quant_algo": "FP8"}}),
    ("engine-path-needs-execution", {**OLD, "trt.engine_path": "e"}),
    ("attn-backend-needs-execution", {**BUILT, "trt.attn_backend": "FLASHINFER"}),
    ("kv-cache-dtype-needs-execution", {**BUILT, "trt.kv_cache.dtype": "fp8"}),
    ("cuda-graphs-batch-sizes-needs-cuda-graphs-enabled", {
        "trt.cuda_graphs": {"enabled": False, "batch_sizes": [1]}}),
    ("enable-mla-skip-correction-needs-attn-backend", {
        **NEW, "trt.enable_mla_skip_correction": True, "trt.attn_backend": "VANILLA"}),
    ("sparse-attention-topk-needs-sparse-attention-algorithm", {
        "trt.sparse_attention": {"algorithm": "dsa", "topk": 4}}),
    # What only one surface has.
    ("trt-sampler-type-only-in-1-2", {**NEW, "trt.sampler_type": "TorchSampler"}),
    ("trt-enable-in-graph-sampling-only-in-1-3", {**OLD, "trt.enable_in_graph_sampling": True}),
    ("trt-kv-cache-dtype-values-only-in-1-3", {**OLD, "trt.kv_cache.dtype": "nvfp4"}),
    ("trt-nvfp4-gemm-allowed-backends-values-only-in-1-3", {
        **OLD, "trt.nvfp4_gemm.allowed_backends": ["cutlass", "marlin"]}),
    ("trt-experts-backend-values-only-in-1-2", {**NEW, "trt.experts.backend": "WIDEEP"}),
    ("trt-execution-values-only-in-1-2", {**NEW, "trt.execution": "tensorrt"}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "values"), BROKEN, ids=[case[0] for case in BROKEN])
def test_a_broken_rule_is_found(experiment, broken, rule, values):
    whole = {path: value for path, value in values.items() if "." not in path}
    dotted = {path: value for path, value in values.items() if "." in path}
    model = {"id": "folder", "weights": "pretrained"}
    for path in [path for path in dotted if path.startswith("model.")]:
        model[path.removeprefix("model.")] = dotted.pop(path)
    assert broken(experiment(dotted, **{"model": model, **whole})) == [rule]


def test_nothing_is_held_against_the_default(experiment, broken):
    assert broken(experiment()) == []


def test_every_rule_that_is_written_down_is_tested_above():
    # Those of the markers are tested where markers are: only their kinds are sampled above.
    written = {rule.name for rule in TrtConfig.rules if "-only-in-" not in rule.name}
    assert written - {name for name, _ in BROKEN} == set()
    assert len(rules_of("trt", TrtConfig)) > len(written)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("trt-unchunked-prompt-fits-an-iteration", {**LONG, "trt.enable_chunked_prefill": True}),
        ("trt-experts-fill-the-devices", {
            "trt.tensor_parallel_size": 4, "trt.moe_expert_parallel_size": 2}),
        ("trt-draft-schedule-fits", {
            **OLD, **NGRAM, "trt.speculation.draft_len_schedule": {1: 4, 8: 0}}),
        ("trt-beams-do-not-overlap", {**OLD, **BEAMS, "trt.disable_overlap_scheduler": True}),
        ("trt-block-reuse-is-seen", {
            "trt.sampling.return_perf_metrics": False, "trt.kv_cache.enable_block_reuse": False}),
    ],
)  # fmt: skip
def test_the_hint_repairs_it(experiment, broken, rule, values):
    whole = {path: value for path, value in values.items() if "." not in path}
    dotted = {path: value for path, value in values.items() if "." in path}
    assert broken(experiment(dotted, **whole)) == []
    assert rule in {rule.name for rule in TrtConfig.rules}
