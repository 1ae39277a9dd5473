"""vLLM's processes do not say before every repetition that llem emptied their cache."""

import logging

import pytest

from llem_vllm.runtime.engine_log import LOGGER, hush
from llem_vllm.runtime.lifeline import VARIABLE


@pytest.fixture
def logger():
    logger = logging.getLogger(LOGGER)
    yield logger
    logger.setLevel(logging.NOTSET)


def test_below_a_session_a_warning_is_heard_and_nothing_less(logger, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    hush()
    assert logger.isEnabledFor(logging.WARNING)
    assert not logger.isEnabledFor(logging.INFO)


def test_elsewhere_vllm_logs_as_ever(logger, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    hush()
    assert logger.level == logging.NOTSET
