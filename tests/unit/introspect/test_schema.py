"""The published JSON schemas accept what llem accepts, and refuse what it refuses."""

from __future__ import annotations

import jsonschema
import pytest

from llem.errors import BackendUnavailable, UnknownBackend
from llem.introspect.json_schema import outcome_schema, schema

SECTION = """
from llem.schema.experiment import BackendConfig

class Section(BackendConfig):
    '''What this one takes.'''
    speed: int | None = None
    '''How fast.'''

@hookimpl
def llem_config_model(): return Section
"""


@pytest.fixture
def registry(environment, source):
    """A registry of two backends, of which one has a field of its own, and a broken one."""
    environment.install("llem-fast", {"fast": source("fast", more=SECTION)})
    environment.install("llem-slow", {"slow": source("slow")})
    environment.install("llem-void", {"void": "1 / 0"})
    return environment.registry()


def _accepts(document_schema, document):
    return jsonschema.Draft202012Validator(document_schema).is_valid(document)


def test_the_union_is_told_apart_by_backend(registry):
    union = schema(registry)
    jsonschema.Draft202012Validator.check_schema(union)
    assert _accepts(union, {"backend": "fast", "fast": {"speed": 3}})
    assert _accepts(union, {"backend": "slow", "workload": {"source": "synthetic"}})
    assert not _accepts(union, {"backend": "slow", "fast": {"speed": 3}})
    assert not _accepts(union, {"backend": "fast", "fast": {"speed": "very"}})
    assert not _accepts(union, {"backend": "void"})
    assert union["discriminator"]["propertyName"] == "backend"


def test_one_backends_schema_is_its_own(registry):
    fast = schema(registry, "fast")
    jsonschema.Draft202012Validator.check_schema(fast)
    assert fast["properties"]["backend"]["const"] == "fast"
    assert "A backend of the tests" in fast["description"]
    assert fast["$defs"]["Section"]["properties"]["speed"]["description"] == "How fast."
    assert not _accepts(fast, {"backend": "slow"})


def test_a_single_backend_needs_no_union(environment, source):
    environment.install("llem-only", {"only": source("only")})
    assert schema(environment.registry())["properties"]["backend"]["const"] == "only"


def test_without_a_backend_there_is_no_schema(environment):
    with pytest.raises(BackendUnavailable, match="no backend is installed"):
        schema(environment.registry())


def test_an_unknown_backend_has_no_schema(registry):
    with pytest.raises(UnknownBackend, match="Did you mean 'fast'"):
        schema(registry, "fsat")


def test_the_outcome_has_a_schema_too():
    document = outcome_schema()
    jsonschema.Draft202012Validator.check_schema(document)
    assert {"schema_version", "status", "verdict", "energy"} <= document["properties"].keys()
