"""Names that a new plugin may have, and the names derived from them."""

import pytest

from llem.errors import ConfigError
from llem.testing.scaffold import identify


def test_all_names_follow_from_one():
    identity = identify("paged_attention2", taken=())
    assert identity.distribution == "llem-paged-attention2"
    assert identity.package == "llem_paged_attention2"
    assert identity.class_prefix == "PagedAttention2"


@pytest.mark.parametrize(
    "name",
    ["", "Demo", "9lives", "two words", "a-b", "a__b", "_a", "a_", "../a", "class", "dé", "a\n"],
)
def test_what_is_no_key_and_no_package_is_refused(name):
    with pytest.raises(ConfigError, match="cannot be called") as caught:
        identify(name, taken=())
    assert "lower-case letters" in caught.value.hint


@pytest.mark.parametrize("name", ["model", "measurement", "backend"])
def test_a_key_of_every_experiment_is_refused(name):
    with pytest.raises(ConfigError, match="every experiment has a key of that name"):
        identify(name, taken=())


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ConfigError, match="'rapid' is installed already"):
        identify("rapid", taken={"rapid"})


def test_a_distribution_that_is_there_is_refused():
    with pytest.raises(ConfigError, match="the distribution llem-core, which is installed"):
        identify("core", taken=())
