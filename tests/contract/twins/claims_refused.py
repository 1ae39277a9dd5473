"""It accepts what it does not claim."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_capabilities():
    return replace(INFO, claims={**INFO.claims, Capability.FLOAT16: Claim(Support.NO)})
