"""It drops the user's last resort."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from twins.parts import build_plan

    return build_plan(experiment.model_copy(update={"passthrough_kwargs": {}}))
