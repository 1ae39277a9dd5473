"""What plugins may rely on does not change by accident."""

from __future__ import annotations

from .public_surface import PINNED, surface

RENEW = "python tests/contract/public_surface.py > tests/contract/public_surface.txt"


def test_nothing_public_is_lost_or_changed() -> None:
    lost = set(PINNED.read_text().splitlines()) - set(surface())
    assert lost == set(), (
        "What plugins rely on is gone or has changed. If a plugin of today could notice, this is "
        "breaking: keep the old form, or raise API_MAJOR (docs/reference/api-stability.md). If "
        f"none could, renew what is pinned: {RENEW}"
    )


def test_what_is_new_is_meant_to_be_public() -> None:
    new = set(surface()) - set(PINNED.read_text().splitlines())
    assert new == set(), (
        "This is new in the public surface, and will have to stay. If that is meant, say so in the "
        f"CHANGELOG and renew what is pinned: {RENEW}"
    )


def test_the_surface_holds_what_plugins_use() -> None:
    names = {line.partition(":")[0] for line in surface()}
    assert {
        "llem.api.hookspecs.llem_build_kwargs",
        "llem.api.session.Session.run",
        "llem.api.capability.BackendInfo.name",
        "llem.testing.pytest_plugin.PluginSuite.known_failures",
        "llem.testing.PluginUnderTest.__init__",
        "llem.testing check session-tokens",
    } <= names
