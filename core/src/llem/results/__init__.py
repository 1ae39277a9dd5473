"""Outcomes on disk: each in a folder of its own, written whole or not at all."""

from llem.results.folder import OutcomeFolder
from llem.results.read_outcomes import Copies, outcome_folders, read_document, read_outcome
from llem.results.series_files import read_phases, read_requests, read_samples

__all__ = [
    "Copies",
    "OutcomeFolder",
    "outcome_folders",
    "read_document",
    "read_outcome",
    "read_phases",
    "read_requests",
    "read_samples",
]
