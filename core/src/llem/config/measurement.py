"""The measurement section alone, for commands that measure without an experiment."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import ValidationError

from llem.api.config import MeasurementConfig
from llem.api.config.base import FrozenModel
from llem.api.errors import ConfigInvalid
from llem.config.messages import findings_of
from llem.config.overrides import apply_override
from llem.config.source import Source


class _Section(FrozenModel):
    measurement: MeasurementConfig = MeasurementConfig()


def load_measurement(
    overrides: Sequence[str], *, meters: Sequence[str] = (), sample_period_s: float | None = None
) -> MeasurementConfig:
    """Validate a measurement section given by options.

    Args:
        overrides: ``measurement.key=value`` each, in order; they win over the rest.
        meters: Names of meters; empty for every one that works here.
        sample_period_s: Time between two readings, or ``None`` for the default.

    Raises:
        ConfigInvalid: A key or value is not allowed; every problem is named.
    """
    source = Source()
    if meters:
        source.assign(("measurement", "meters"), list(meters), "--meters")
    if sample_period_s is not None:
        source.assign(("measurement", "sample_period_s"), sample_period_s, "--period")
    for override in overrides:
        apply_override(source, override)
    try:
        return _Section.model_validate_json(json.dumps(source.data), strict=True).measurement
    except ValidationError as error:
        raise ConfigInvalid(findings_of(error, _Section, source)) from None
