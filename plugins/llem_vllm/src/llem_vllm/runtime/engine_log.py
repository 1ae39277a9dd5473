"""vLLM's log, without the line that llem itself would cause before every repetition.

vLLM calls :func:`hush` in each of its processes (entry point ``vllm.general_plugins``). Outside
llem's worker nothing happens.
"""

from __future__ import annotations

import logging
import os

from llem_vllm.runtime.lifeline import VARIABLE

LOGGER = "vllm.v1.core.block_pool"
"""Says that the prefix cache was emptied; that it was not is a warning, and stays."""


def hush() -> None:
    """Keep what vLLM says about each emptying of the prefix cache out of its log."""
    if VARIABLE in os.environ:
        logging.getLogger(LOGGER).setLevel(logging.WARNING)
