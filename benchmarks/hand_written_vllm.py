"""What a careful user would write by hand to time vLLM: the baseline of `fidelity.py`.

    python benchmarks/hand_written_vllm.py MODEL_FOLDER WORK.json

WORK.json holds `prompts` (lists of token ids), `new_tokens`, `seconds` and the `arguments` of the
engine. Prints output tokens per second over all timed repetitions, each on an empty prefix cache.
"""

import json
import sys
import time
from pathlib import Path

from vllm import LLM, SamplingParams


def main() -> None:
    """Time the work and print the rate."""
    model_folder, work_file = sys.argv[1:]
    work = json.loads(Path(work_file).read_text())
    llm = LLM(model=model_folder, dtype="bfloat16", **work["arguments"])
    prompts = [{"prompt_token_ids": ids} for ids in work["prompts"]]
    params = SamplingParams(temperature=0.0, max_tokens=work["new_tokens"], ignore_eos=True)
    for _ in range(3):
        llm.generate(prompts, params, use_tqdm=False)
    tokens, seconds = 0, 0.0
    while seconds < work["seconds"]:
        llm.reset_prefix_cache()
        started = time.monotonic()
        outputs = llm.generate(prompts, params, use_tqdm=False)
        seconds += time.monotonic() - started
        tokens += sum(len(one.outputs[0].token_ids) for one in outputs)
    print("RATE", tokens / seconds)


if __name__ == "__main__":  # vLLM starts this file again in each of its processes
    main()
