"""Warnings that the libraries repeat at every call, inside the window."""

from __future__ import annotations

import logging


def quieten() -> None:
    """Drop what is no news, and let the rest through once."""
    logging.getLogger("transformers.generation.utils").addFilter(_is_news)
    logging.getLogger("bitsandbytes.autograd._functions").addFilter(_Once())


def _is_news(record: logging.LogRecord) -> bool:
    """Drop the warning that every call makes about the EOS id that ``ignore_eos`` stands for."""
    return not record.getMessage().startswith("`eos_token_id` should consist of positive integers")


class _Once(logging.Filter):
    """Let each message through once."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        new = message not in self._said
        self._said.add(message)
        return new
