"""A fake of the package ``tensorrt_llm``, copied to a folder where a worker imports it.

Its classes are made from the published reference of the version it claims to be: the same
parameter names, types and defaults, and, like the strict models of the real ones, no others. It
records each call in a file and computes nothing: it "generates" the requested number of tokens.
"""

import ast
import inspect
import json
import os
import signal
import subprocess
import sys
import time
import types
from datetime import timedelta
from enum import Enum
from pathlib import Path

from llem_trt.reference import classes
from llem_trt.versions import surface_of

HERE = Path(__file__).parent
VERSION = (HERE / "version.txt").read_text().strip()
CLASSES = classes(surface_of(VERSION))
FAILURE = os.environ.get("FAKE_TENSORRT_LLM_FAILURE", "")
CHILD_SLEEPS_S = 600

QuantAlgo = Enum(
    "QuantAlgo",
    {
        name: name
        for known in classes("1.2").values()
        for name in getattr(known.get("quant_algo"), "choices", ())
    },
    type=str,
)
LoadFormat = Enum("LoadFormat", ["AUTO", "DUMMY", "VISION_ONLY"], start=0)
SCALARS = {"int": int, "float": (int, float), "bool": bool, "str": str}


def record(call, **facts):
    """Append one line to the record of calls."""
    with (HERE / "calls.jsonl").open("a") as file:
        file.write(json.dumps({"call": call, **facts}, default=describe) + "\n")


def describe(value):
    """Return an object as its class and the arguments it got."""
    if isinstance(value, Enum):
        return value.name
    return {"class": type(value).__name__, **value.given}


def check(target, arguments):
    """Refuse arguments that the class does not take, in the words of its strict models."""
    for name, value in arguments.items():
        parameter = CLASSES[target].get(name)
        if parameter is None:
            raise ValueError(f"{target}: {name}: Extra inputs are not permitted")
        if value is None or isinstance(value, Enum):
            continue
        if parameter.choices and isinstance(value, str):
            fits = value in parameter.choices
        else:
            fits = any(is_kind(kind.strip(), value) for kind in parameter.type.split("|"))
        if not fits:
            raise ValueError(f"{target}: {name}: {value!r} is not {parameter.type}")


def is_kind(kind, value):
    if kind in SCALARS:
        return isinstance(value, SCALARS[kind]) and (kind == "bool") == isinstance(value, bool)
    if kind.startswith(("list", "dict")):
        return isinstance(value, list if kind.startswith("list") else dict)
    name = type(value).__name__
    family = {"SpeculativeConfig": "DecodingConfig", "SparseAttentionConfig": "AttentionConfig"}
    return kind in ("object", name) or name.endswith(family.get(kind, "\0"))


def default(parameter):
    """Return the default of a parameter; for an object, one built without arguments."""
    source = parameter.default
    if source.endswith("()"):
        made = MADE.get(source[:-2])
        return made() if made else None
    return ast.literal_eval(source) if source else None


def make_class(target):
    """Return the class called ``target``."""
    name = target.rpartition(".")[2]

    def __init__(self, **given):
        check(target, given)
        self.given = given
        for parameter, facts in CLASSES[target].items():
            setattr(self, parameter, given.get(parameter, default(facts)))

    return type(name, (), {"__init__": __init__, "__signature__": signature(target)})


def signature(target):
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=facts.default if facts.default else inspect.Parameter.empty,
            )
            for name, facts in CLASSES[target].items()
        ]
    )


MADE = {}
for _target in CLASSES:
    if not _target.endswith((".LLM", ".generate")):
        _class = make_class(_target)
        MADE[_class.__name__] = _class
MADE["QuantAlgo"] = QuantAlgo


def make_llm(target):
    """Return the class ``LLM`` of one execution."""

    class LLM:
        tokenizer = None

        def __init__(self, **arguments):
            record("load", target=target, arguments=arguments)
            if FAILURE == "load":
                raise RuntimeError("CUDA out of memory. Tried to allocate 40 GiB")
            check(target, arguments)
            self.args = resolve(target, arguments)
            # A separate process in a separate session, like those that MPI starts.
            self.child = subprocess.Popen(["sleep", str(CHILD_SLEEPS_S)], start_new_session=True)
            (HERE / "child.pid").write_text(str(self.child.pid))
            self.seen = set()

        def generate(self, inputs, sampling_params=None, use_tqdm=True, cache_salt=None):
            """Answer with the requested number of tokens."""
            record(
                "generate",
                prompts=[request["prompt_token_ids"] for request in inputs],
                params=sampling_params,
                use_tqdm=use_tqdm,
                cache_salt=cache_salt,
            )
            fail_while_generating()
            arrival_s = time.monotonic()
            pairs = zip(inputs, sampling_params, strict=True)
            return [
                self.answer(request, params, cache_salt, arrival_s) for request, params in pairs
            ]

        def answer(self, request, params, salt, arrival_s):
            reused = self.reused_blocks(request["prompt_token_ids"], salt)
            time.sleep(0.002)
            first_s = time.monotonic()
            metrics = perf_metrics(arrival_s, first_s, time.monotonic(), reused)
            completion = types.SimpleNamespace(
                token_ids=[1] * params.max_tokens,
                finish_reason="length",
                stop_reason=None,
                request_perf_metrics=metrics if params.return_perf_metrics else None,
            )
            return types.SimpleNamespace(outputs=[completion])

        def reused_blocks(self, prompt, salt):
            """Return the number of blocks of ``prompt`` that came before under the same salt."""
            if not self.args.kv_cache_config.enable_block_reuse:
                return 0
            salt = None if FAILURE == "salt" else salt
            size = self.args.kv_cache_config.tokens_per_block
            ends = range(size, len(prompt) + 1, size)
            blocks = {(salt, tuple(prompt[:end])) for end in ends}
            reused = len(blocks & self.seen)
            self.seen |= blocks
            return reused

        def shutdown(self):
            record("shutdown")
            self.child.kill()
            self.child.wait()

    LLM.generate.__signature__ = signature("tensorrt_llm.LLM.generate")
    return LLM


def resolve(target, arguments):
    """Return the engine's resolved arguments."""
    name = "TrtLlmArgs" if "_tensorrt_engine" in target else "TorchLlmArgs"
    args = type(name, (), {})()
    for parameter, facts in CLASSES[target].items():
        setattr(args, parameter, arguments.get(parameter, default(facts)))
    sizes = (args.tensor_parallel_size, args.pipeline_parallel_size, args.context_parallel_size)
    world_size = sizes[0] * sizes[1] * sizes[2]
    args.parallel_config = types.SimpleNamespace(world_size=world_size)
    args.load_format = LoadFormat[args.load_format.upper()]
    if getattr(args, "quant_config", None) is None:
        args.quant_config = types.SimpleNamespace(quant_algo=None)
    if FAILURE == "differs":
        args.max_batch_size = 1
        args.kv_cache_config.dtype = "bfloat16"
    return args


def fail_while_generating():
    match FAILURE:
        case "generate":
            raise RuntimeError("The sum of prompt length should not exceed max_num_tokens (16)")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(CHILD_SLEEPS_S)


def perf_metrics(arrival_s, first_s, last_s, reused):
    return types.SimpleNamespace(
        timing_metrics=types.SimpleNamespace(
            arrival_time=timedelta(seconds=arrival_s),
            first_token_time=timedelta(seconds=first_s),
            last_token_time=timedelta(seconds=last_s),
        ),
        kv_cache_metrics=types.SimpleNamespace(
            num_total_allocated_blocks=4, num_missed_blocks=4, num_reused_blocks=reused
        ),
        speculative_decoding=types.SimpleNamespace(
            total_draft_tokens=0, total_accepted_draft_tokens=0
        ),
    )


def module(name, **content):
    """Make a module that ``import`` finds."""
    made = types.ModuleType(name)
    made.__dict__.update(content)
    sys.modules[name] = made
    return made


def install(package):
    """Fill the package ``tensorrt_llm`` and its modules."""
    named = {target: MADE[target.rpartition(".")[2]] for target in CLASSES if _is_made(target)}
    public = {name.rpartition(".")[2]: kind for name, kind in named.items()}
    package.__dict__.update(
        __version__=VERSION,
        LLM=make_llm("tensorrt_llm.LLM"),
        SamplingParams=MADE["SamplingParams"],
    )
    arguments = {
        "TorchLlmArgs": holder("tensorrt_llm.LLM"),
        **{name: kind for name, kind in public.items() if name != "SamplingParams"},
    }
    if "tensorrt_llm._tensorrt_engine.LLM" in CLASSES:
        legacy = "tensorrt_llm._tensorrt_engine"
        package._tensorrt_engine = module(legacy, LLM=make_llm(f"{legacy}.LLM"))
        arguments["TrtLlmArgs"] = holder(f"{legacy}.LLM")
    package.llmapi = module("tensorrt_llm.llmapi", QuantAlgo=QuantAlgo, **public)
    package.llmapi.llm_args = module("tensorrt_llm.llmapi.llm_args", **arguments)


def holder(target):
    """Return a class of which only the signature is read."""
    return type("Args", (), {"__signature__": signature(target)})


def _is_made(target):
    return target.rpartition(".")[2] in MADE
