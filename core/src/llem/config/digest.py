"""The identity of an experiment."""

from __future__ import annotations

import hashlib
import json

from llem.api.config import Experiment


def digest(experiment: Experiment) -> str:
    """Return SHA-256 of the experiment's canonical JSON, in hexadecimal.

    The name is left out, and so is the preset, whose values are in: neither label changes what
    is measured.
    """
    document = experiment.model_dump(mode="json", exclude={"name": True, "decoder": {"preset"}})
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
