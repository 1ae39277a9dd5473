"""``llem doctor``: is everything here that a run needs?"""

from __future__ import annotations

import sys

import click

from llem.api.errors import BackendUnavailable
from llem.cli.output_options import Form, json_option, print_answer
from llem.introspect.doctor import State
from llem.introspect.doctor import doctor as ask
from llem.introspect.listing import check_listing
from llem.registry import Registry


@click.command()
@json_option
def doctor(form: Form) -> None:
    """Check plugins, engines, meters and folders; ends with 3 if a check failed."""
    checks = ask(Registry.discover())
    print_answer(checks, lambda: check_listing(checks), form)
    if any(check.state is State.FAILED for check in checks):
        sys.exit(BackendUnavailable.exit_code)
