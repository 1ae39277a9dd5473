"""What a careful user would write by hand to time vLLM: the baseline of the fidelity benchmarks.

    python benchmarks/hand_written_vllm.py MODEL_FOLDER WORK.json

WORK.json holds `prompts` (lists of token ids), `new_tokens`, `seconds` and the `arguments` of the
engine. Prints output tokens per second over all timed repetitions, each on an empty prefix cache.
Without `seconds`, one repetition is made and its rate printed for each line that comes in.
"""

import json
import sys
import time
from pathlib import Path

from vllm import LLM, SamplingParams


def main() -> None:
    """Time the work and print rates."""
    model_folder, work_file = sys.argv[1:]
    work = json.loads(Path(work_file).read_text())
    llm = LLM(model=model_folder, dtype="bfloat16", **work["arguments"])
    prompts = [{"prompt_token_ids": ids} for ids in work["prompts"]]
    params = SamplingParams(temperature=0.0, max_tokens=work["new_tokens"], ignore_eos=True)

    def repetition() -> tuple[int, float]:
        """Return the tokens of one repetition, and its seconds."""
        llm.reset_prefix_cache()
        started = time.monotonic()
        outputs = llm.generate(prompts, params, use_tqdm=False)
        seconds = time.monotonic() - started
        return sum(len(output.outputs[0].token_ids) for output in outputs), seconds

    for _ in range(3):
        repetition()
    if "seconds" not in work:
        print("READY", flush=True)
        for _ in sys.stdin:
            tokens, seconds = repetition()
            print("RATE", tokens / seconds, flush=True)
        return
    tokens, seconds = 0, 0.0
    while seconds < work["seconds"]:
        more_tokens, more_seconds = repetition()
        tokens, seconds = tokens + more_tokens, seconds + more_seconds
    print("RATE", tokens / seconds)


if __name__ == "__main__":  # vLLM starts this file again in each of its processes
    main()
