"""The public parameters of the installed transformers, read from the library itself."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import transformers
from packaging.version import Version
from transformers import GenerationMixin, PreTrainedModel
from transformers.cache_utils import QuantizedCache
from transformers.distributed import DistributedConfig
from transformers.generation import configuration_utils as generation
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.auto.auto_factory import _BaseAutoModelClass
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING

from llem.api.parameter_audit import Found, FoundParameter
from llem_pytorch.config.quantization import METHODS

_OBJECTS = (
    transformers.CompileConfig,
    transformers.BitsAndBytesConfig,
    transformers.ContinuousBatchingConfig,
    transformers.KernelConfig,
    transformers.WatermarkingConfig,
)


LATER = {
    "transformers.FineGrainedFP8Config": {"expert_dtype": "5.22"},
    "transformers.distributed.DistributedConfig": {
        "dp_replicate_size": "5.23",
        "ep_implementation": "5.23",
        "fsdp_plan": "5.23",
    },
}
"""What came after the oldest version supported, and when: an older library need not have it, and
refuses a field that sets it when the model is loaded."""


def introspect() -> Found:
    """Return every parameter of every surface, by the surface's name; private names left out."""
    found = {
        "transformers.AutoModelForCausalLM.from_pretrained": _unique(
            *_signature(PreTrainedModel.from_pretrained),
            *_popped(PreTrainedModel.from_pretrained),
            *_popped(_BaseAutoModelClass.from_pretrained),
        ),
        "transformers.PreTrainedModel.generate": _unique(
            *_signature(GenerationMixin.generate),
            *_popped(GenerationMixin.generate),
            *_popped(GenerationMixin._extract_generation_mode_kwargs),
        ),
        "transformers.PreTrainedModel.generate_batch": _unique(
            *_signature(GenerationMixin.generate_batch),
            *_popped(GenerationMixin.generate_batch),
        ),
        "transformers.GenerationConfig": _unique(*_popped(generation.GenerationConfig.__init__)),
        "transformers.QuantizedCache": _unique(*_signature(QuantizedCache.__init__)),
        "transformers.distributed.DistributedConfig": _unique(
            *_signature(DistributedConfig.__init__)
        ),
        "values of attn_implementation": _names("eager", *ALL_ATTENTION_FUNCTIONS.keys()),
        "values of cache_implementation": _names(*generation.ALL_CACHE_IMPLEMENTATIONS, "paged"),
        "methods of quantization": _names(*AUTO_QUANTIZATION_CONFIG_MAPPING),
    }
    for target in METHODS.values():
        class_ = getattr(transformers, target.rpartition(".")[2])
        found[target] = _unique(*_signature(class_.__init__))
    for class_ in _OBJECTS:
        found[f"transformers.{class_.__name__}"] = _unique(*_signature(class_.__init__))
    for surface, later in LATER.items():
        there = {parameter.name for parameter in found[surface]}
        for name, since in later.items():
            if name not in there and Version(transformers.__version__) < Version(since):
                found[surface].append(FoundParameter(name, annotation_text=f"since {since}"))
    return found


def _signature(function: Callable[..., Any]) -> Iterator[FoundParameter]:
    """Yield the parameters that ``function`` names in its signature."""
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = "" if parameter.default is parameter.empty else repr(parameter.default)
        kind = parameter.annotation
        text = "" if kind is parameter.empty else inspect.formatannotation(kind)
        yield FoundParameter(name, default, text)


def _popped(function: Callable[..., Any]) -> Iterator[FoundParameter]:
    """Yield what ``function`` takes out of its ``**kwargs``, as its source has it.

    Three spellings: ``kwargs.pop("name", default)`` or ``get``; ``"name" in kwargs``; and a loop
    over a list of names, each of which it pops.
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="kwargs"), attr="pop" | "get"),
                args=[ast.Constant(value=str(name)), *rest],
            ):
                yield FoundParameter(name, ast.unparse(rest[0]) if rest else "")
            case ast.Compare(
                left=ast.Constant(value=str(name)),
                ops=[ast.In() | ast.NotIn()],
                comparators=[ast.Name(id="kwargs")],
            ):
                yield FoundParameter(name)
            case ast.For(target=ast.Name(id=variable), iter=ast.List(elts=names)) if any(
                _pops(inner, variable) for inner in ast.walk(node)
            ):
                for element in names:
                    match element:
                        case ast.Constant(value=str(name)):
                            yield FoundParameter(name)


def _pops(node: ast.AST, variable: str) -> bool:
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="kwargs"), attr="pop"),
            args=[ast.Name(id=name), *_],
        ):
            return name == variable
    return False


def _names(*names: str) -> list[FoundParameter]:
    return _unique(*map(FoundParameter, names))


def _unique(*parameters: FoundParameter) -> list[FoundParameter]:
    """Return the public ones of ``parameters``, each once, the first that came."""
    found: dict[str, FoundParameter] = {}
    for parameter in parameters:
        if not parameter.name.startswith("_") and parameter.name not in ("self", "cls"):
            found.setdefault(parameter.name, parameter)
    return list(found.values())
