"""It supports something, and does not say how far."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_capabilities():
    return replace(INFO, claims={**INFO.claims, Capability.LORA: Claim(Support.PARTIAL)})
