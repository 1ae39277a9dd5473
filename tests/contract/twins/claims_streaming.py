"""It tells when tokens are there, and does not claim so."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_capabilities():
    return replace(INFO, claims={**INFO.claims, Capability.STREAMING_LATENCY: Claim(Support.NO)})
