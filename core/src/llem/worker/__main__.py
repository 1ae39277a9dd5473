"""Entry point: ``python -m llem.worker READ_FD WRITE_FD``, started by the host only."""

from __future__ import annotations

import sys

from llem.api.lifeline import die_with_parent
from llem.worker.serve import serve_pipes


def main() -> int:
    """Serve calls from the given pipes until the host closes them."""
    if len(sys.argv) != 4 or not all(argument.isdecimal() for argument in sys.argv[1:]):
        sys.stderr.write("llem.worker is started by `llem run`, not by hand\n")
        return 2
    read_fd, write_fd, parent_pid = map(int, sys.argv[1:])
    die_with_parent(parent_pid)
    serve_pipes(read_fd, write_fd)
    return 0


if __name__ == "__main__":
    sys.exit(main())
