"""What is installed in another environment, asked of its interpreter."""

from __future__ import annotations

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


def versions_in(backend: Backend, python: str) -> dict[str, str]:
    """Return the versions of those distributions in the environment of ``python``, and llem's.

    Raises:
        ExperimentFailed: No worker can be started there.
    """
    limits = RunnerConfig()
    start_s = limits.timeouts.start_s
    with (
        TemporaryDirectory(prefix="llem-versions-") as folder,
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
    return {"llem": hello.llem, **answer["versions"]}
