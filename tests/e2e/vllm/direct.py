"""What a user would write by hand: the ids in `sys.argv[2]` through `LLM.generate`, as JSON."""

import json
import sys

from vllm import LLM, SamplingParams


def main():
    """Generate greedily for one list of token ids."""
    model, work = sys.argv[1], json.loads(sys.argv[2])
    llm = LLM(model=model, **work["engine"])
    prompts = [{"prompt_token_ids": ids} for ids in work["prompts"]]
    params = SamplingParams(temperature=0.0, max_tokens=work["new_tokens"])
    outputs = llm.generate(prompts, params, use_tqdm=False)
    found = [
        [list(output.outputs[0].token_ids), output.outputs[0].finish_reason] for output in outputs
    ]
    print("RESULT", json.dumps(found))


if __name__ == "__main__":  # vLLM starts this file again in each of its processes
    main()
