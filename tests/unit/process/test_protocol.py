"""Messages between host and worker."""

import json

import pytest

from llem.process import protocol
from llem.process.protocol import ErrorReport
from llem.process.worker import error_report


def test_one_message_is_one_line():
    line = protocol.request(3, "run", {"text": "two\nlines"})
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"id": 3, "method": "run", "params": {"text": "two\nlines"}}


@pytest.mark.parametrize("line", [b"", b"noise", b"[]", b"{}", b'{"id": "1"}'])
def test_anything_else_is_refused(line):
    with pytest.raises(ValueError, match=r".+"):
        protocol.parse(line)


def test_an_error_keeps_everything_about_it():
    sent = ErrorReport("pkg.Broken", "no", "Traceback", out_of_memory=False)
    assert ErrorReport(**protocol.parse(protocol.error(1, sent))["error"]) == sent


class OutOfMemoryError(RuntimeError):
    """Named as the engines name theirs."""


@pytest.mark.parametrize(
    ("error", "out_of_memory"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("shape mismatch"), False),
        (SystemExit(3), False),
    ],
)
def test_out_of_memory_is_recognized(error, out_of_memory):
    assert error_report(error).out_of_memory is out_of_memory


def test_an_error_without_words_is_named():
    assert error_report(KeyError()).message == "KeyError"
