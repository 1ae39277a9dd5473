"""It does not say what it is."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_capabilities():
    return replace(INFO, summary="")
