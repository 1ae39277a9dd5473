"""What a config may be depends on the environment."""

import os

from twins.healthy import *


@hookimpl
def llem_config_model():
    from twins.parts import TwinConfig

    os.environ.get("TWIN_MOST")
    return TwinConfig
