"""Checks of the plugin itself: found, imported, described."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from llem.api.capability import BackendInfo
from llem.schema.decoder import DecoderConfig
from llem.testing.check_definition import Fault, check
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires

BACKEND_HOOKS = (
    "llem_capabilities",
    "llem_config_model",
    "llem_build_kwargs",
    "llem_measurement",
)
"""The four hooks of a backend."""


@check(Requires.NOTHING)
def check_plugin_listed(subject: PluginUnderTest) -> Iterable[Fault]:
    """Exactly one installed distribution offers the plugin, for this version of the contract."""
    subject.find_record()
    return ()


@check(Requires.LISTED)
def check_plugin_loads(subject: PluginUnderTest) -> Iterable[Fault]:
    """The entry point names a module that can be imported."""
    subject.import_module()
    return ()


@check(Requires.LOADED)
def check_plugin_hooks(subject: PluginUnderTest) -> Iterator[Fault]:
    """It implements hooks, each with a name and arguments of the contract."""
    if not any(name.startswith("llem_") for name in vars(subject.plugin)):
        yield Fault(
            "it implements no hook",
            hint="Put @hookimpl above functions with the names in llem.api.hookspecs.",
        )


@check(Requires.PLUGIN)
def check_plugin_light(subject: PluginUnderTest) -> Iterator[Fault]:
    """Importing and describing it loads pydantic and llem.api at most, and has no side effect."""
    stage = subject.isolated.describing
    hint = "Import what a hook needs inside the hook; a listing pays for each import."
    yield from (Fault(f"it imports {name}", hint) for name in stage.imports)
    yield from (Fault(f"it touches {effect}") for effect in stage.effects)


@check(Requires.PLUGIN)
def check_plugin_info(subject: PluginUnderTest) -> Iterator[Fault]:
    """llem_capabilities returns a valid BackendInfo: summary, engine, devices, parameters."""
    if subject.backend is None:
        return
    info = subject.backend.info
    if not info.summary or "\n" in info.summary:
        yield Fault("summary is not one line", "Describe the backend in a few words.")
    if not info.devices:
        yield Fault("devices is empty", 'Name the kinds it runs on, such as ("cpu", "cuda").')
    unknown = sorted(info.decoder_parameters - set(DecoderConfig.model_fields))
    yield from (Fault(f"decoder_parameters: there is no decoder.{name}") for name in unknown)
    yield from _engine_faults(info)


def _engine_faults(info: BackendInfo) -> Iterator[Fault]:
    if info.engine is None:
        return
    try:
        SpecifierSet(info.engine.versions)
    except InvalidSpecifier as error:
        yield Fault(f"engine.versions: {error}", 'Write a range of PEP 440, such as ">=2,<3".')
    if not info.engine.install:
        yield Fault("engine.install is empty", "Give the command that installs the engine.")


@check(Requires.BACKEND)
def check_plugin_complete(subject: PluginUnderTest) -> Iterator[Fault]:
    """A backend implements all four hooks of a backend."""
    missing = [hook for hook in BACKEND_HOOKS if not subject.required_backend.offers(hook)]
    yield from (Fault(f"it does not implement {hook}") for hook in missing)
