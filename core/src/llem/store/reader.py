"""Read a stored outcome back."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from llem.api.errors import StorageError
from llem.api.outcome import Outcome
from llem.store.folder import OUTCOME_FILE


def read_outcome(folder: Path) -> Outcome:
    """Return the outcome stored in ``folder``.

    Raises:
        StorageError: There is none, or it does not have the documented form.
    """
    path = folder / OUTCOME_FILE
    try:
        return Outcome.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise StorageError(f"{folder} holds no {OUTCOME_FILE}") from None
    except (OSError, ValueError, ValidationError) as error:
        raise StorageError(f"{path} is not a readable outcome: {error}") from error
