"""Compilation by torch.compile."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from llem.api import BackendConfig, EngineArg, Param

COMPILED = {"pytorch.torch_compile": True}
"""What the other fields here need."""

Mode = Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"]


class Compilation(BackendConfig):
    """Whether and how the model's forward pass is compiled."""

    torch_compile: Annotated[
        bool | None,
        Param(
            maps_to=EngineArg("settings", "torch_compile"),
            affects=(EngineArg("generate", "disable_compile"), EngineArg("compile", "backend")),
            requires={"pytorch.batching": (None, "static")},
            neutral=(False,),
            examples=(True, False),
        ),
    ] = None
    """Whether the forward pass is compiled, prompts and single tokens alike. `false` also holds the
    library back from compiling by itself, which it does on CUDA with a static cache."""

    torch_compile_mode: Annotated[
        Mode | None,
        Param(
            maps_to=EngineArg("compile", "mode"),
            requires=COMPILED,
            neutral=("default",),
            conflicts_with=("pytorch.torch_compile_options",),
            examples=("default", "max-autotune-no-cudagraphs"),
        ),
    ] = None
    """What the compiler optimizes for; unset is `default`."""

    torch_compile_backend: Annotated[
        str | None,
        Field(pattern=r"^[\w.-]+$"),
        Param(
            maps_to=EngineArg("compile", "backend"),
            requires=COMPILED,
            neutral=("inductor",),
            examples=("inductor", "eager"),
        ),
    ] = None
    """Compiler; unset is `inductor`. `eager` only traces, which tells its cost apart."""

    torch_compile_fullgraph: Annotated[
        bool | None,
        Param(
            maps_to=EngineArg("compile", "fullgraph"),
            requires=COMPILED,
            neutral=(False,),
            examples=(False, True),
        ),
    ] = None
    """Whether the whole forward pass must become one graph, so that a break in it is a failure."""

    torch_compile_dynamic: Annotated[
        bool | None,
        Param(maps_to=EngineArg("compile", "dynamic"), requires=COMPILED, examples=(True, False)),
    ] = None
    """Whether shapes are variables from the start; unset makes those variable that were seen to
    change, `false` compiles every shape anew."""

    torch_compile_options: Annotated[
        dict[str, Any] | None,
        Param(
            maps_to=EngineArg("compile", "options"),
            requires=COMPILED,
            neutral=({},),
            examples=({"epilogue_fusion": True},),
        ),
    ] = None
    """Options of the compiler by name, such as those of inductor."""
