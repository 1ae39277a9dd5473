"""Outcomes on disk: one folder each, written whole or not at all."""

from llem.store.folder import OutcomeFolder
from llem.store.reader import read_outcome
from llem.store.requests import read_requests

__all__ = ["OutcomeFolder", "read_outcome", "read_requests"]
