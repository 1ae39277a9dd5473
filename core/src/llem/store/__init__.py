"""Outcomes on disk: one folder each, written whole or not at all, and found again."""

from llem.store.folder import OutcomeFolder, free_id
from llem.store.phases import read_phases
from llem.store.reader import outcome_folders, read_document, read_outcome
from llem.store.requests import read_requests
from llem.store.samples import read_samples

__all__ = [
    "OutcomeFolder",
    "free_id",
    "outcome_folders",
    "read_document",
    "read_outcome",
    "read_phases",
    "read_requests",
    "read_samples",
]
