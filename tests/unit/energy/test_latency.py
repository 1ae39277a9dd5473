"""Latency counts from the moment a request was handed to the engine."""

import pytest

from llem.api.session import RequestResult, RunResult
from llem.energy.statistics import latency


def run(*requests):
    return RunResult(0.0, 10.0, list(requests))


def test_first_token_gaps_and_end():
    first = RequestResult(0, [1, 2, 3], "length", 1.0, 2.0, [1.5, 1.7, 2.0])
    second = RequestResult(1, [1], "eos", 4.0, 4.25, [4.25])
    result = latency([run(first), run(second)])
    assert result.ttft_s.mean == pytest.approx((0.5 + 0.25) / 2)
    assert result.itl_s.mean == pytest.approx((0.2 + 0.3) / 2)
    assert result.e2e_s.mean == pytest.approx((1.0 + 0.25) / 2)
    assert result.unavailable is None


def test_one_request_without_times_makes_token_latencies_unavailable():
    timed = RequestResult(0, [1, 2], "length", 0.0, 2.0, [1.0, 2.0])
    untimed = RequestResult(1, [1, 2], "length", 0.0, 2.0)
    result = latency([run(timed, untimed)])
    assert (result.ttft_s, result.itl_s) == (None, None)
    assert result.unavailable
    assert result.e2e_s.p50 == 2.0


def test_single_tokens_have_no_gaps():
    result = latency([run(RequestResult(0, [1], "length", 0.0, 1.0, [1.0]))])
    assert result.itl_s is None
    assert result.ttft_s.p50 == 1.0
    assert result.unavailable == "no request has two tokens"


def test_a_first_token_without_the_others_gives_its_time_alone():
    requests = [
        RequestResult(0, [1, 2], "length", 1.0, 3.0, first_token_s=1.5),
        RequestResult(1, [1, 2], "length", 2.0, 3.0, first_token_s=2.25),
    ]
    result = latency([run(*requests)])
    assert result.ttft_s.mean == pytest.approx((0.5 + 0.25) / 2)
    assert result.itl_s is None
    assert "first token" in result.unavailable
