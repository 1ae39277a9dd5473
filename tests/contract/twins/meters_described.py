"""A meter does not say what it reads."""

from dataclasses import replace

from twins.healthy import *


@hookimpl
def llem_meters():
    return (replace(METER, summary=""),)
