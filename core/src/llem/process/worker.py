"""The worker process: read a call, make it on the session, answer.

Entry point: ``python -m llem.process.worker READ_FD WRITE_FD HOST_PID``, started by the host.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from llem.api.child_processes import exit_with_parent, peak_rss_bytes, reset_peak_rss
from llem.api.session import Request, Session
from llem.process import protocol
from llem.process import worker_memory as memory
from llem.process.protocol import PROTOCOL_VERSION, ErrorReport, Hello
from llem.schema.call_plan import CallPlan, import_dotted
from llem.version import __version__, installed_versions

if TYPE_CHECKING:
    from llem.api.parameter_audit import Found


def serve_pipes(read_fd: int, write_fd: int) -> None:
    """Answer calls from one pipe on the other until the host closes them."""
    # An engine's own child processes must not hold the pipes open when this process dies.
    os.set_inheritable(read_fd, False)
    os.set_inheritable(write_fd, False)
    with os.fdopen(read_fd, "rb") as reader, os.fdopen(write_fd, "wb", buffering=0) as writer:
        serve(reader, writer)


def serve(reader: BinaryIO, writer: BinaryIO) -> None:
    """Answer calls from ``reader`` until it ends.

    An exception of plugin or engine becomes an error answer and the loop continues: the host
    decides what happens next.
    """
    hello = Hello(
        PROTOCOL_VERSION, __version__, ".".join(map(str, sys.version_info[:3])), os.getpid()
    )
    writer.write(protocol.result(protocol.HELLO_ID, asdict(hello)))
    service = Service()
    for line in reader:
        message = protocol.parse(line)
        try:
            value = service.handle(message["method"], message["params"])
            answer = protocol.result(message["id"], value)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the host decides, not the worker
            answer = protocol.error(message["id"], error_report(error))
        _flush()
        writer.write(answer)


class Service:
    """The calls that a host may make on a session."""

    def __init__(self) -> None:
        self._session: Session | None = None
        self._loaded_bytes: int | None = None
        self._load_peak_bytes = 0
        self._peak_is_known = False
        self._runs = 0
        self._methods: dict[str, Callable[..., Any]] = {
            "start": self.start,
            "audit": self.audit,
            "open": self.open,
            "reopen": self.reopen,
            "tokenizer": self.tokenizer,
            "prepare": self.prepare,
            "run": self.run,
            "observe": self.observe,
            "close": self.close,
        }

    def handle(self, method: str, params: dict[str, Any]) -> Any:
        """Do one call and return its result as JSON data."""
        return self._methods[method](**params)

    @property
    def session(self) -> Session:
        """The session that ``start`` made."""
        if self._session is None:
            raise RuntimeError("the worker was not started with a plugin")
        return self._session

    def start(self, plugin: str, distributions: list[str]) -> dict[str, Any]:
        """Import the plugin's light module and return the versions installed here."""
        self._plugin = importlib.import_module(plugin)
        return {"versions": installed_versions(distributions), "executable": sys.executable}

    def audit(self, introspect: str) -> dict[str, Any]:
        """Read the public parameters of the installed engine, by surface."""
        found: Found = import_dotted(introspect)()
        return {
            surface: [asdict(parameter) for parameter in parameters]
            for surface, parameters in found.items()
        }

    def open(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Import the engine and load the model."""
        self._session = self._plugin.llem_measurement()()
        opened = self.session.open(CallPlan.from_json(plan)).to_json()
        self._load_peak_bytes = peak_rss_bytes()
        memory.freeze_loaded()
        self._loaded_bytes = memory.anon_rss_bytes()
        self._forget_peak()
        return opened

    def reopen(self, plan: dict[str, Any]) -> None:
        """Give the session another plan, with memory back at its level after loading."""
        self.session.reopen(CallPlan.from_json(plan))
        memory.check_returned(self._loaded_bytes)
        self._runs = 0
        self._forget_peak()

    def _forget_peak(self) -> None:
        """Let the peak begin again from the memory that is in use, garbage given back.

        It begins after loading, and again after the first repetition: what an engine takes once, at
        its first use, is no part of what a run needs, and a kept worker has it behind it.
        """
        memory.anon_rss_bytes()
        self._peak_is_known = reset_peak_rss()

    def tokenizer(self) -> dict[str, Any] | None:
        """Return the model's tokenizer, if the engine has it."""
        export = self.session.tokenizer()
        return None if export is None else export.to_json()

    def prepare(self, requests: list[dict[str, Any]]) -> None:
        """Batch the requests and move them to the device."""
        self.session.prepare([Request.from_json(item) for item in requests])

    def run(self) -> dict[str, Any]:
        """Run the workload once."""
        if self._runs == 1:
            self._forget_peak()
        self._runs += 1
        return self.session.run().to_json()

    def observe(self) -> dict[str, Any]:
        """Read back the values in force, and the peak memory of this process and those below it.

        Loading has a peak of its own: a worker that is kept loads once for many runs, and each
        run's peak must mean the same as in a fresh worker.
        """
        observation = self.session.observe().to_json()
        peaks = {"host_load_peak_rss_bytes": self._load_peak_bytes}
        if self._peak_is_known:
            peaks["host_peak_rss_bytes"] = peak_rss_bytes()
        observation["memory"] = {**peaks, **observation["memory"]}
        return observation

    def close(self) -> None:
        """Release the engine; harmless when nothing was opened."""
        memory.unfreeze_loaded()
        if self._session is not None:
            self._session.close()


def error_report(error: BaseException) -> ErrorReport:
    """Describe ``error`` for the host."""
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    # Engines wrap the allocator's error in their own classes; only its text survives.
    out_of_memory = (
        isinstance(error, MemoryError)
        or kind.__name__ == "OutOfMemoryError"
        or "out of memory" in str(error).lower()
    )
    return ErrorReport(
        error_type=name,
        message=str(error) or name,
        traceback="".join(traceback.format_exception(error)),
        out_of_memory=out_of_memory,
    )


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def main() -> int:
    """Serve calls from the given pipes until the host closes them."""
    if len(sys.argv) != 4 or not all(argument.isdecimal() for argument in sys.argv[1:]):
        sys.stderr.write("llem.process.worker is started by `llem run`, not by hand\n")
        return 2
    read_fd, write_fd, parent_pid = map(int, sys.argv[1:])
    exit_with_parent(parent_pid)
    serve_pipes(read_fd, write_fd)
    return 0


if __name__ == "__main__":
    sys.exit(main())
