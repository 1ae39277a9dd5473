"""It drops the user's last resort."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from twins.parts import build_plan

    build_plan(experiment)  # refuses what it must
    return build_plan(experiment.model_copy(update={"passthrough_kwargs": {}}))
