"""Is there an ONNX model where the experiment says?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llem.errors import Finding
from llem.schema.experiment import Experiment

FILE = "genai_config.json"
"""What the model builder writes beside a model."""


def review(experiment: Experiment) -> Iterator[Finding]:
    """Yield an error for a model that was not built."""
    build = getattr(experiment.section, "build", None) or ""
    folder = Path(experiment.model.id, build)
    if not (folder / FILE).is_file():
        yield Finding(
            code="onnx-model-missing",
            message=f"{experiment.model.id} has no {FILE} in {build or 'it'}",
            path="model.id",
            hint="Build it from a local model folder: python -m onnxruntime_genai.models.builder "
            "-i FOLDER -o FOLDER/int4 -p int4 -e cpu; then name FOLDER, and onnx.build: int4.",
        )
