"""It has a hook that does not exist."""

from twins.healthy import *


@hookimpl
def llem_capabilitys():
    return INFO
