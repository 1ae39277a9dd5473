"""Its module cannot be imported where it is needed."""

import sys

from twins.healthy import *

if "llem.worker.serve" in sys.modules:
    raise ImportError("works in a listing only")
