"""Find plugins by their metadata, load them, and call their hooks."""

from llem.registry.backend import Backend
from llem.registry.engine_status import EngineStatus, check_version, engine_status
from llem.registry.registry import Registry
from llem.registry.scan import PluginRecord, Status

__all__ = [
    "Backend",
    "EngineStatus",
    "PluginRecord",
    "Registry",
    "Status",
    "check_version",
    "engine_status",
]
