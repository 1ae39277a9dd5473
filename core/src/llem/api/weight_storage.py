"""The memory that a loaded model's weights, and values of its cache, really occupy.

Four forms are in use. A tensor may be *packed* (two 4-bit weights in a byte), *wrapped* (a subclass
that states the shape and type it stands for, and holds other tensors inside), a *buffer* (GPTQ and
AWQ have no parameters in their layers), or *scales* that hang on a tensor as a plain attribute.
Neither ``numel()`` nor ``element_size()`` of the parameters tells the bytes of any of them.

The functions take a ``torch.nn.Module`` without importing torch: a backend calls them in the
process that holds the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

_MAX_DEPTH = 4
"""Levels of objects between a tensor and its scales; double quantization needs three."""


def weights_bytes(model: Any) -> int:
    """Return the bytes of memory that the weights of ``model`` occupy, shared memory once.

    Counted are the parameters, the tensors inside them and hanging on them, and all tensors of
    layers that hold packed weights. Other buffers, such as tables of positions, are no weights.
    """
    return _occupied(_weights(model))


def tensor_bytes(*values: Any) -> int:
    """Return the bytes of memory of all tensors in ``values``: packed, wrapped, or in records."""
    return _occupied(_plain(values, set()))


_BYTES_PER_VALUE = {"float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "half": 2.0, "int8": 1.0}
_FP8 = frozenset({"fp8", "fp8_e4m3", "fp8_e5m2", "fp8_inc"})
_NVFP4 = 0.5 + 1 / 16
"""Half a byte, and a scale of one byte for 16 values."""


def cache_value_bytes(dtype: str) -> float | Literal["model", "unknown"]:
    """Return the bytes of one value of a KV cache of type ``dtype``, scales included.

    Args:
        dtype: The engine's name, such as ``fp8_e4m3``; ``auto`` is the model's own type.
    """
    name = dtype.lower().removeprefix("torch.")
    if name == "auto":
        return "model"
    if name in _FP8 or name.startswith("float8"):
        return 1.0
    return _NVFP4 if name == "nvfp4" else _BYTES_PER_VALUE.get(name, "unknown")


def _occupied(tensors: Iterable[Any]) -> int:
    """Return the bytes of memory that plain tensors occupy, memory they share once."""
    spans: dict[str, list[tuple[int, int]]] = {}
    elsewhere: dict[int, int] = {}
    for tensor in tensors:
        size = tensor.numel() * tensor.element_size()
        if tensor.device.type == "meta":
            # Offloaded: the weights are on disk or in a hook, and have no address here.
            elsewhere[id(tensor)] = size
        elif size:
            start = tensor.data_ptr()
            spans.setdefault(str(tensor.device), []).append((start, start + size))
    return sum(map(_covered, spans.values())) + sum(elsewhere.values())


def holds_packed_weights(model: Any) -> bool:
    """Whether any weight of ``model`` is stored in another form than plain floating-point numbers.

    The number of weights then does not follow from the number of stored elements.
    """
    return any(_is_packed(module) for module in model.modules())


def _weights(model: Any) -> Iterator[Any]:
    """Yield every plain tensor that belongs to the weights; some more than once."""
    for module in model.modules():
        parameters = list(module.parameters(recurse=False))
        yield from _plain(parameters, set())
        if _is_packed(module):
            yield from _plain(module.buffers(recurse=False), set())
            yield from _plain(_attributes(module), set())


def _attributes(module: Any) -> Iterator[Any]:
    """Yield what a layer of packed weights holds besides parameters and buffers."""
    for name, value in vars(module).items():
        if not name.startswith("_"):
            yield value


def _is_packed(module: Any) -> bool:
    """Whether the layer itself holds quantized weights."""
    if any(_is_quantized(parameter) for parameter in module.parameters(recurse=False)):
        return True
    # A table of positions is of 64-bit integers, and a mask of booleans.
    if any(
        buffer.dim() > 1 and _is_code(buffer) and buffer.element_size() < 8
        for buffer in module.buffers(recurse=False)
    ):
        return True
    # MXFP4 on a GPU: the kernels' own tensors, which are no tensors of torch.
    return any(type(value).__module__.startswith("triton_kernels") for value in _attributes(module))


def _is_quantized(parameter: Any) -> bool:
    # bitsandbytes may store 4-bit codes in a tensor of any type.
    has_scales = getattr(parameter, "quant_state", None) is not None
    return has_scales or hasattr(parameter, "__tensor_flatten__") or _is_code(parameter)


def _is_code(tensor: Any) -> bool:
    """Whether the elements stand for weights only together with a scale or a table."""
    kind = str(tensor.dtype).removeprefix("torch.")
    return kind != "bool" and not kind.startswith(("float16", "bfloat", "float32", "float64"))


def _plain(values: Iterable[Any], seen: set[int], depth: int = 0) -> Iterator[Any]:
    """Yield the plain tensors among ``values``, inside them and hanging on them."""
    for value in values:
        if id(value) in seen or depth > _MAX_DEPTH:
            continue
        seen.add(id(value))
        if hasattr(value, "untyped_storage"):
            if hasattr(value, "__tensor_flatten__"):
                names, _ = value.__tensor_flatten__()
                yield from _plain((getattr(value, name) for name in names), seen, depth)
            else:
                yield value
            yield from _plain(getattr(value, "__dict__", {}).values(), seen, depth + 1)
        elif isinstance(value, Mapping):
            yield from _plain(value.values(), seen, depth + 1)
        elif isinstance(value, list | tuple):
            yield from _plain(value, seen, depth + 1)
        elif hasattr(value, "__dict__") and not _is_foreign(value):
            yield from _plain(vars(value).values(), seen, depth + 1)


def _is_foreign(value: Any) -> bool:
    """Whether ``value`` is something else than a record of tensors: a layer, class or function."""
    return hasattr(value, "named_parameters") or callable(value)


def _covered(spans: list[tuple[int, int]]) -> int:
    """Return the length of the union of address ranges."""
    total, reached = 0, 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total
