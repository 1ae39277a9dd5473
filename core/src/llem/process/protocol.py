"""Messages between host and worker: one JSON object a line, over a private pair of pipes.

Host to worker: ``{"id": 3, "method": "run", "params": {…}}``. Worker to host:
``{"id": 3, "result": …}`` or ``{"id": 3, "error": {…}}``. The worker speaks first, with a
result of id 0 that names the protocol version. The engine's own output never touches these
pipes: stdout and stderr go to the log.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

PROTOCOL_VERSION = 1
"""Host and worker must have the same version."""

HELLO_ID = 0
"""Id of the worker's first message."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The worker's first message.

    Attributes:
        protocol: Its protocol version.
        llem: Version of llem-core in its environment.
        python: Version of its interpreter.
        pid: Its process id.
    """

    protocol: int
    llem: str
    python: str
    pid: int


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An exception of the worker, as data.

    Attributes:
        error_type: Qualified name of the exception class.
        message: Its text.
        traceback: The formatted traceback.
        out_of_memory: Whether host or device memory ran out.
    """

    error_type: str
    message: str
    traceback: str
    out_of_memory: bool


def request(id: int, method: str, params: dict[str, Any]) -> bytes:
    """Return the line that asks the worker to do ``method``."""
    return _line({"id": id, "method": method, "params": params})


def result(id: int, value: Any) -> bytes:
    """Return the line that answers a request."""
    return _line({"id": id, "result": value})


def error(id: int, report: ErrorReport) -> bytes:
    """Return the line that answers a request with an exception."""
    return _line({"id": id, "error": asdict(report)})


def parse(line: bytes) -> dict[str, Any]:
    """Return the message in ``line``.

    Raises:
        ValueError: It is not a JSON object with an id.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("id"), int):
        raise ValueError("not a protocol message")
    return message


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
