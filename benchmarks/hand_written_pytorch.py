"""What a careful user would write by hand to time `generate`: the baseline of `fidelity.py`.

    python benchmarks/hand_written_pytorch.py MODEL_FOLDER WORK.json

WORK.json holds `prompts` (lists of token ids of one length), `new_tokens`, `seconds` and, unless it
is bfloat16, `dtype`. Prints output tokens per second over all timed repetitions.
"""

import json
import sys
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

model_folder, work_file = sys.argv[1:]
work = json.loads(Path(work_file).read_text())
dtype = getattr(torch, work.get("dtype", "bfloat16"))
model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=dtype).eval()
input_ids = torch.tensor(work["prompts"])
arguments = {
    "input_ids": input_ids,
    "attention_mask": torch.ones_like(input_ids),
    "max_new_tokens": work["new_tokens"],
    "do_sample": False,
    "eos_token_id": [-1],  # never met: every row gets all its tokens
    "pad_token_id": 0,
}
for _ in range(3):
    model.generate(**arguments)
tokens, seconds = 0, 0.0
while seconds < work["seconds"]:
    started = time.monotonic()
    output = model.generate(**arguments)
    seconds += time.monotonic() - started
    tokens += output[:, input_ids.shape[1] :].numel()
print("RATE", tokens / seconds)
