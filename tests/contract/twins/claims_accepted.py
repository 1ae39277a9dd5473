"""It claims what it refuses."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_capabilities():
    return replace(INFO, claims={**INFO.claims, Capability.BFLOAT16: YES})
