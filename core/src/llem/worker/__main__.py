"""Entry point: ``python -m llem.worker READ_FD WRITE_FD``, started by the host only."""

from __future__ import annotations

import os
import sys

from llem.api.lifeline import die_with_parent
from llem.worker.serve import serve


def main() -> int:
    """Serve calls from the given pipes until the host closes them."""
    if len(sys.argv) != 4 or not all(argument.isdecimal() for argument in sys.argv[1:]):
        sys.stderr.write("llem.worker is started by `llem run`, not by hand\n")
        return 2
    read_fd, write_fd, parent_pid = map(int, sys.argv[1:])
    die_with_parent(parent_pid)
    # An engine's own child processes must not hold the pipes open when this process dies.
    os.set_inheritable(read_fd, False)
    os.set_inheritable(write_fd, False)
    with os.fdopen(read_fd, "rb") as reader, os.fdopen(write_fd, "wb", buffering=0) as writer:
        serve(reader, writer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
