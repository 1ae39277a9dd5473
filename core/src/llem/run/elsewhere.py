"""What is installed in another environment, asked of its interpreter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from llem.api.capability import BackendInfo
from llem.api.config import RunnerConfig
from llem.registry import Backend
from llem.run.worker_process import WorkerProcess, interpreter


def distributions_of(info: BackendInfo) -> tuple[str, ...]:
    """Return the distributions whose versions results on a backend depend on."""
    engine = info.engine
    return (*((engine.distribution, *engine.alternatives) if engine else ()), *info.versions_of)


def versions_in(backend: Backend, python: str) -> Mapping[str, str]:
    """Return the versions of those distributions in the environment of ``python``, and llem's.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    with worker_in(backend, python) as (_, versions):
        return versions


@contextmanager
def worker_in(
    backend: Backend, python: str | None
) -> Iterator[tuple[WorkerProcess, Mapping[str, str]]]:
    """Yield a worker in the environment of ``python``, and what is installed there.

    Yields:
        The worker, which knows the backend's plugin, and the versions of
        :func:`distributions_of` the backend, and llem's.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    limits = RunnerConfig()
    start_s = limits.timeouts.start_s
    with (
        TemporaryDirectory(prefix="llem-asked-") as folder,
        WorkerProcess(
            python=interpreter(python),
            env={},
            log_path=Path(folder, "worker.log"),
            max_log_bytes=limits.max_log_bytes,
        ) as worker,
    ):
        hello = worker.hello(start_s)
        distributions = list(distributions_of(backend.info))
        answer = worker.call("start", start_s, plugin=backend.module, distributions=distributions)
        yield worker, {"llem": hello.llem, **answer["versions"]}
