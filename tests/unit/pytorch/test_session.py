"""The session on a real, tiny model: every token is counted once, and only if it is one."""

import itertools
import logging

import pytest
import torch
from transformers import AutoModelForCausalLM

from llem.api.session import Request
from llem.workload.shape_catalog import SHAPES
from llem.workload.shape_folder import write_shape

pytestmark = pytest.mark.engine

PROMPTS = [[10, 20, 30, 40, 50], [60, 70], [80, 90, 100, 110, 120, 130, 140]]
TEXTS = {"source": "prompts", "prompts": ["a"]}  # a workload that honors EOS


def requests(*limits, prompts=PROMPTS):
    rows = enumerate(zip(prompts, limits, strict=True))
    return [Request(index, prompt, limit) for index, (prompt, limit) in rows]


def by_hand(folder, prompt, steps):
    """Return greedy tokens of one unpadded prompt, one plain forward pass for each."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(steps):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.fixture(scope="module")
def greedy(model_folder):
    """Return twelve greedy tokens of each prompt."""
    return [by_hand(model_folder, prompt, 12) for prompt in PROMPTS]


@pytest.fixture(scope="module")
def early_end(greedy):
    """Return a row, a step and the id there, which no row emits at any other earlier step."""
    for row, step in itertools.product(range(3), range(2, 8)):
        token = greedy[row][step]
        others = [output for at, output in enumerate(greedy) if at != row]
        if token not in greedy[row][:step] and all(token not in output for output in others):
            return row, step, token
    raise AssertionError("the model repeats itself too much for this test")


def outputs(run):
    return [result.output_ids for result in run.requests]


def reasons(run):
    return [result.finish_reason for result in run.requests]


def test_one_row_of_a_padded_batch_ends_early(opened, ending_at, greedy, early_end):
    row, step, eos = early_end
    folder = ending_at(eos)
    session, report = opened(model={"id": str(folder)}, workload=TEXTS, pytorch={"batch_size": 3})
    assert report.model.eos_token_ids == [eos]
    session.prepare(requests(12, 12, 12))
    run = session.run()
    expected = [list(output) for output in greedy]
    expected[row] = greedy[row][: step + 1]  # EOS itself is output, what follows is not
    assert outputs(run) == expected
    assert reasons(run) == ["eos" if at == row else "length" for at in range(3)]
    assert run.padding_input_tokens == 3 * 7 - (5 + 2 + 7)
    assert run.padding_output_tokens == 12 - (step + 1)


def test_rows_end_at_their_own_limits(opened, model_folder, greedy):
    session, _ = opened(model={"id": str(model_folder)}, pytorch={"batch_size": 3})
    session.prepare(requests(3, 12, 1))
    run = session.run()
    assert outputs(run) == [greedy[0][:3], greedy[1], greedy[2][:1]]
    assert reasons(run) == ["length"] * 3
    assert run.padding_output_tokens == 3 * 12 - (3 + 12 + 1)


def test_a_batch_ends_with_its_last_row(opened, ending_at, greedy, early_end):
    row, step, eos = early_end
    others = [at for at in range(3) if at != row]
    order = [row, *others]  # the row that meets EOS has the greatest limit
    session, _ = opened(
        model={"id": str(ending_at(eos))}, workload=TEXTS, pytorch={"batch_size": 3}
    )
    session.prepare(requests(200, 2, 2, prompts=[PROMPTS[at] for at in order]))
    run = session.run()
    assert [len(output) for output in outputs(run)] == [step + 1, 2, 2]
    assert run.padding_output_tokens == 2 * (step + 1 - 2)


def test_batches_follow_the_given_order(opened, model_folder, greedy):
    session, _ = opened(model={"id": str(model_folder)}, pytorch={"batch_size": 2})
    session.prepare(requests(4, 4, 4))
    run = session.run()
    assert [result.index for result in run.requests] == [0, 1, 2]
    assert outputs(run) == [output[:4] for output in greedy]
    assert run.padding_input_tokens == 5 - 2
    first, second, third = (result.submitted_s for result in run.requests)
    assert first == second < third


def test_ignoring_eos_fills_every_limit(opened, ending_at, greedy, early_end):
    _, _, eos = early_end
    session, _ = opened(model={"id": str(ending_at(eos))}, pytorch={"batch_size": 3})
    session.prepare(requests(12, 12, 12))
    run = session.run()
    assert outputs(run) == greedy
    assert reasons(run) == ["length"] * 3
    assert run.padding_output_tokens == 0
    assert session.observe().effective["generate.eos_token_id"] == [-1]


def test_a_stop_text_ends_its_row(opened, model_folder, greedy):
    printable = range(3 + 33, 3 + 127)  # ids of ASCII characters in the shapes' tokenizer
    row, step = next(
        (row, step)
        for row, step in itertools.product(range(3), range(1, 12))
        if greedy[row][step] in printable and greedy[row][step] not in greedy[row][:step]
    )
    token = greedy[row][step]
    session, _ = opened(
        model={"id": str(model_folder)},
        workload=TEXTS,
        decoder={"stop": [chr(token - 3)], "ignore_eos": True},
        pytorch={"batch_size": 3},
    )
    session.prepare(requests(12, 12, 12))
    run = session.run()
    cut = [output[: output.index(token) + 1] if token in output else output for output in greedy]
    assert outputs(run) == cut
    assert reasons(run) == ["stop" if token in output else "length" for output in greedy]
    assert run.padding_output_tokens == 3 * max(map(len, cut)) - sum(map(len, cut))


def test_times_belong_to_the_tokens(opened, model_folder):
    session, _ = opened(model={"id": str(model_folder)}, pytorch={"batch_size": 3})
    session.prepare(requests(3, 12, 1))
    run = session.run()
    for result in run.requests:
        times = result.token_times_s
        assert len(times) == len(result.output_ids)
        assert times == sorted(times)
        assert run.started_s <= result.submitted_s < times[0]
        assert result.finished_s == times[-1] <= run.finished_s
    assert run.requests[0].token_times_s == run.requests[1].token_times_s[:3]


def test_without_streaming_there_are_no_token_times(opened, model_folder):
    session, _ = opened(model={"id": str(model_folder)}, pytorch={"num_beams": 2})
    session.prepare(requests(4, 4, 4))
    run = session.run()
    assert [len(output) for output in outputs(run)] == [4, 4, 4]
    assert all(result.token_times_s is None for result in run.requests)
    finished = [result.finished_s for result in run.requests]
    assert finished == sorted(finished)
    assert finished[-1] <= run.finished_s


@pytest.mark.parametrize("decoder", [{}, {"temperature": 1.0, "top_k": 50, "seed": 3}])
def test_every_repetition_does_the_same(opened, model_folder, decoder):
    session, _ = opened(model={"id": str(model_folder)}, decoder=decoder, pytorch={"batch_size": 2})
    session.prepare(requests(8, 8, 8))
    assert outputs(session.run()) == outputs(session.run())


def test_the_seed_decides_what_is_sampled(opened, model_folder):
    found = []
    for seed in (1, 2):
        session, _ = opened(
            model={"id": str(model_folder)}, decoder={"temperature": 1.5, "seed": seed}
        )
        session.prepare(requests(8, 8, 8))
        found.append(outputs(session.run()))
    assert found[0] != found[1]


def test_random_weights_follow_the_seed(opened):
    folder = str(write_shape("shape:tiny"))
    weights = []
    for seed in (0, 0, 1):
        session, _ = opened(
            model={"id": folder, "weights": "random"},
            decoder={"seed": seed, "temperature": 1.0},
        )
        session.prepare(requests(8, 8, 8))
        weights.append(outputs(session.run()))
    assert weights[0] == weights[1] != weights[2]


def test_facts_of_a_model_with_tied_embeddings(opened):
    shape = SHAPES["tiny"]
    _, report = opened(
        model={
            "id": str(write_shape("shape:tiny")),
            "weights": "random",
            "dtype": "bfloat16",
        },
        pytorch={"device": "cpu"},
    )
    assert report.engine == "transformers"
    assert report.devices == ["cpu"]
    assert report.simulated is False
    model = report.model
    assert model.parameters == shape.parameters
    assert model.weights_bytes == 2 * shape.parameters
    assert model.dtype == "bfloat16"
    assert model.arithmetic == shape.arithmetic
    assert model.vocab_size == shape.config["vocab_size"]
    assert model.max_context_tokens == shape.config["max_position_embeddings"]
    assert model.eos_token_ids == [1]
    assert model.special_token_ids == [0, 1, 2]


def test_effective_values_are_those_asked_for(opened, plan, model_folder):
    threads = torch.get_num_threads()
    sections = {
        "model": {"id": str(model_folder), "dtype": "bfloat16"},
        "decoder": {"temperature": 0.7, "top_p": 0.9, "top_k": 0, "repetition_penalty": 1.1},
        "pytorch": {
            "batch_size": 2,
            "attn_implementation": "eager",
            "device": "cpu",
            "use_cache": False,
            "num_threads": 1,
        },
    }
    session, _ = opened(**sections)
    session.prepare(requests(4, 4, 4))
    session.run()
    observed = session.observe()
    torch.set_num_threads(threads)
    assert (
        observed.effective.items()
        >= {
            "load.dtype": "torch.bfloat16",
            "load.attn_implementation": "eager",
            "settings.batch_size": 2,
            "settings.device": "cpu",
            "settings.num_threads": 1,
            "settings.seed": 0,
        }.items()
    )
    for name, value in plan(**sections).call("generate").kwargs.items():
        assert observed.effective[f"generate.{name}"] == value
    assert observed.memory == {}


def test_settings_that_greedy_decoding_ignores_are_not_effective(opened, model_folder):
    session, _ = opened(model={"id": str(model_folder)})
    session.prepare(requests(2, 2, 2))
    session.run()
    effective = session.observe().effective
    assert effective["generate.do_sample"] is False
    assert effective["generate.use_cache"] is True
    assert "generate.temperature" not in effective
    assert "generate.top_k" not in effective


def test_the_tokenizer_is_handed_out_as_data(opened, model_folder):
    from tokenizers import Tokenizer

    session, _ = opened(model={"id": str(model_folder)}, workload=TEXTS)
    exported = session.tokenizer()
    assert Tokenizer.from_str(exported.tokenizer_json).encode("Ab").ids == [3 + 65, 3 + 98]
    assert exported.special_tokens["eos_token"] == "<|end|>"
    assert "add_generation_prompt" in exported.chat_template


def test_a_run_prints_and_logs_nothing(opened, model_folder, capfd):
    session, _ = opened(model={"id": str(model_folder)}, pytorch={"batch_size": 2})
    session.prepare(requests(3, 4, 5))
    session.run()  # what the library says once, it says here
    capfd.readouterr()
    logged = []
    handler = logging.Handler()
    handler.emit = logged.append
    logging.getLogger("transformers").addHandler(handler)
    session.run()
    logging.getLogger("transformers").removeHandler(handler)
    assert logged == []
    assert capfd.readouterr() == ("", "")


def test_closing_is_harmless_at_any_time(opened, model_folder, tmp_path):
    session, _ = opened(model={"id": str(model_folder)})
    session.close()
    session.close()
    with pytest.raises(OSError, match="no-such-model"):
        opened(model={"id": str(tmp_path / "no-such-model")})


@pytest.mark.gpu
def test_a_model_on_cuda_reports_its_device_and_memory(opened, model_folder):
    session, report = opened(model={"id": str(model_folder)}, pytorch={"device": "cuda"})
    (device,) = report.devices
    assert device.startswith("cuda:GPU-")
    session.prepare(requests(4, 4, 4))
    session.run()
    observed = session.observe()
    assert observed.effective["settings.device"] == "cuda"
    peak = observed.memory["device_peak_bytes"]
    assert report.model.weights_bytes < peak <= observed.memory["device_peak_reserved_bytes"]


def test_a_reopened_session_does_what_a_fresh_one_does(opened, plan, model_folder):
    model = {"model": {"id": str(model_folder)}}
    first = model | {"decoder": {"temperature": 0.8, "top_k": 20}, "pytorch": {"batch_size": 3}}
    second = model | {"decoder": {"repetition_penalty": 1.5}, "pytorch": {"batch_size": 1}}

    def ran(session):
        session.prepare(requests(12, 12, 12))
        tokens = outputs(session.run())
        return tokens, session.observe().effective

    fresh, _ = opened(**second)
    kept, _ = opened(**first)
    before, _ = ran(kept)
    kept.reopen(plan(**second))
    after = ran(kept)
    assert after == ran(fresh)
    assert after[0] != before
    kept.reopen(plan(**first))
    assert ran(kept)[0] == before
