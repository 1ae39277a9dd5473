"""Count what a model of transformers computes and keeps, on its own class and without its weights.

The class is built on torch's *meta* device, where a tensor has a shape and no memory, and four
tokens pass through it, each after the other, as in decoding. torch's own counter sees every matrix
product. A position's cost is linear in the positions attended to, layer by layer, so the second and
third token give it; the fourth confirms it; the first shows what only an empty cache costs. The
cache of transformers says which layers have a window.

The libraries are imported by name when a count begins: in the worker, where the backend has both.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from llem.api.architecture import from_hf_config
from llem.api.arithmetic import Arithmetic, Attention

_TOKENS = 4
_TOP_K = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_top_k", "moe_topk")


def arithmetic_of(config: Any, model_class: type | None = None) -> tuple[Arithmetic | None, str]:
    """Return a model's arithmetic: by the formula where it is exact, else counted.

    Args:
        config: The model's config, an object of transformers.
        model_class: Its class, or ``None`` for that which transformers has for the config.

    Returns:
        The arithmetic, and a remark; without arithmetic, the reason.
    """
    own = model_class is None or model_class.__module__.startswith("transformers.")
    try:
        plain = own and config.get_text_config(decoder=True) is config
        known = from_hf_config(config.to_dict()) if plain else None
        if known is not None:
            return known, ""
        counted = _count(config, model_class)
    except ImportError as error:
        wanted = error.name or str(error).strip().splitlines()[0]
        return None, f"counting the model's arithmetic needs what is not installed here: {wanted}"
    except Exception as error:  # noqa: BLE001 - a model's own code; the run goes on without
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return None, f"the model's arithmetic could not be counted ({reason[:200]})"
    repeated = any(part.surplus_flops for part in counted.attention)
    remarks = (
        ("transformers computes keys and values anew from a compressed cache", repeated),
        ("transformers computes every expert for every token", counted.surplus_flops > 0),
    )
    said = " and ".join(text for text, holds in remarks if holds)
    return counted, f"{said}; the utilization leaves that out" if said else ""


@dataclass(slots=True)
class _Step:
    """Operations of one token.

    Attributes:
        total: All of them.
        weights: Those of products with weights, by module.
        modules: All, by module.
    """

    total: int
    modules: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)


def _count(config: Any, model_class: type | None) -> Arithmetic:
    torch, transformers = import_module("torch"), import_module("transformers")
    with torch.random.fork_rng(devices=[]), _quiet(transformers.logging):
        model = _build(config, model_class)
        steps, cache = _decode(model)
    names = {module: name for name, module in model.named_modules()}
    output = steps[1].modules.get(names.get(model.get_output_embeddings(), ""), 0)
    parameters = sum(weight.numel() for weight in model.parameters())
    idle, surplus = _experts(model, steps[2])
    attention = tuple(_attention(model, steps, cache))
    second, third, fourth = steps[1:]
    for before, after, context in ((second, third, 3), (third, fourth, 4)):
        grown = sum(part.flops * ((part.window_tokens or context) >= context) for part in attention)
        if after.total - before.total != grown:
            raise ValueError("the cost of a position is not linear in its context")
    attended = sum(part.flops * min(2, part.window_tokens or 2) for part in attention)
    position = second.total - output - attended
    first = sum(part.flops for part in attention) + position + output
    return Arithmetic(
        method="counted",
        parameters=parameters,
        active_parameters=parameters - idle,
        position_flops=position,
        output_flops=output,
        attention=attention,
        first_flops=steps[0].total - first,
        surplus_flops=surplus,
        state_elements=sum(_state(layer) for layer in getattr(cache, "layers", ())),
    )


def _build(config: Any, model_class: type | None) -> Any:
    """Return the model on the meta device, as it is without quantization."""
    torch, transformers = import_module("torch"), import_module("transformers")
    config = copy.deepcopy(config)
    for part in _parts(config):
        vars(part).pop("quantization_config", None)
        part._attn_implementation = "eager"
        # The others loop over those experts that the tokens chose, which only real numbers tell.
        part._experts_implementation = "batched_mm"
    with torch.device("meta"):
        if model_class is not None:
            model = model_class(config)
        else:
            auto = transformers.AutoModelForCausalLM
            if type(config) not in auto._model_mapping:
                auto = transformers.AutoModelForImageTextToText
            model = auto.from_config(config)
    model.tie_weights()
    return model.eval()


def _parts(config: Any) -> Iterator[Any]:
    yield config
    for name in getattr(config, "sub_configs", {}):
        part = getattr(config, name, None)
        if part is not None:
            yield from _parts(part)


def _decode(model: Any) -> tuple[list[_Step], Any]:
    """Let tokens pass through the model one after the other."""
    torch = import_module("torch")
    counting = import_module("torch.utils.flop_counter").FlopCounterMode
    new_cache = import_module("transformers").DynamicCache
    cache = new_cache(config=model.config.get_text_config(decoder=True))
    taken = inspect.signature(model.forward).parameters
    token = torch.zeros((1, 1), dtype=torch.long, device="meta")
    place = next((name for name in ("cache_params", "past_key_values") if name in taken), None)
    if place is None:
        raise ValueError("its class keeps no cache")
    if getattr(model, "_supports_default_dynamic_cache", lambda: True)() is False:
        cache = None  # the model makes one of its own class
    steps = []
    for _ in range(_TOKENS):
        with torch.no_grad(), counting(display=False) as counter:
            answer = model(input_ids=token, use_cache=True, **{place: cache})
        cache = cache if cache is not None else answer[place]
        step = _Step(counter.get_total_flops())
        root = type(model).__name__ + "."
        for name, operations in counter.get_flop_counts().items():
            own = name.removeprefix(root)
            step.modules[own] = sum(operations.values())
            step.weights[own] = sum(
                count for kind, count in operations.items() if str(kind) in _WITH_WEIGHTS
            )
        steps.append(step)
    return steps, cache


_WITH_WEIGHTS = frozenset({"aten.mm", "aten.addmm"})
"""Products of two matrices; those of attention have a batch of them, one for each head."""


def _attention(model: Any, steps: list[_Step], cache: Any) -> Iterator[Attention]:
    """Yield the layers whose cost or cache grows with the context, by their window."""
    second, third = steps[1], steps[2]
    config = model.config.get_text_config(decoder=True)
    layers = dict(enumerate(cache.layers))
    groups: dict[int | None, list[int]] = {}
    for name, index in _indexed(model):
        layer = layers.get(index)
        window = _window(config, layer, index)
        sums = groups.setdefault(window, [0, 0, 0])
        sums[0] += third.modules.get(name, 0) - second.modules.get(name, 0)
        sums[1] += _elements_per_token(layers.pop(index, None))
        sums[2] += third.weights.get(name, 0) - second.weights.get(name, 0)
    if set(groups) <= {None}:
        # Layers that share one module are found under the name of the first.
        groups.setdefault(None, [0, 0, 0])[0] = third.total - second.total
    for window, (grown, held, repeated) in groups.items():
        if grown or held:
            yield Attention(grown, held, window, repeated)


def _indexed(model: Any) -> Iterator[tuple[str, int]]:
    """Yield the outermost modules that know the number of their layer, and that number."""
    found: list[str] = []
    for name, module in model.named_modules():
        given = (getattr(module, key, None) for key in ("layer_idx", "layer_id"))
        index = next((number for number in given if isinstance(number, int)), None)
        inside = any(name.startswith(outer + ".") for outer in found[-1:])
        if index is not None and not inside:
            found.append(name)
            yield name, index


def _window(config: Any, layer: Any, index: int) -> int | None:
    """Return a layer's window; layers that read the cache of another have none of their own."""
    if layer is not None and _elements_per_token(layer):
        return getattr(layer, "sliding_window", None) if layer.is_sliding else None
    types = getattr(config, "layer_types", None)
    windows = {"sliding_attention": "sliding_window", "chunked_attention": "attention_chunk_size"}
    return getattr(config, windows.get(types[index], ""), None) if types else None


def _elements_per_token(layer: Any) -> int:
    """Return the numbers that a token adds to a layer of the cache."""
    tensors = (getattr(layer, name, None) for name in ("keys", "values"))
    return sum(
        tensor.numel() // tensor.shape[-2]
        for tensor in tensors
        if tensor is not None and tensor.dim() > 2 and tensor.shape[-2]
    )


def _state(layer: Any) -> int:
    """Return the numbers that a layer of the cache holds whatever the context."""
    values = (value for name, value in vars(layer).items() if name not in ("keys", "values"))
    return sum(value.numel() for value in values if hasattr(value, "numel"))


def _experts(model: Any, step: _Step) -> tuple[int, int]:
    """Return the weights that a token does not pass through, and the operations spent on them."""
    config = model.config.get_text_config(decoder=True)
    given = (getattr(config, name, None) for name in _TOP_K)
    chosen = next((number for number in given if isinstance(number, int)), None)
    idle = surplus = 0
    for name, module in model.named_modules():
        if not name.endswith(".experts") or chosen is None:
            continue
        packed = [weight for weight in module.parameters(recurse=False) if weight.dim() == 3]
        experts = packed[0].shape[0] if packed else len(list(module.children()))
        if experts <= chosen:
            continue
        weights = sum(weight.numel() for weight in module.parameters())
        spared = 1 - chosen / experts
        idle += round(weights * spared)
        used = step.modules.get(name, 0)
        if packed and used == 2 * sum(weight.numel() for weight in packed):
            surplus += round(used * spared)
    return idle, surplus


@contextmanager
def _quiet(log: Any) -> Iterator[None]:
    """Keep the remarks of transformers on a model that is only counted from the worker's log."""
    level = log.get_verbosity()
    log.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(level)
