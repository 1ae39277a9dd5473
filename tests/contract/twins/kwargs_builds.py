"""It cannot plan what its config allows."""

from twins.healthy import *


@hookimpl
def llem_build_kwargs(experiment):
    from twins.parts import build_plan

    if experiment.twin.batch_size == 1:
        raise ZeroDivisionError
    return build_plan(experiment)
