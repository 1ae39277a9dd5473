"""Its module cannot be imported where it is needed."""

import __main__
from twins.healthy import *

if __main__.__spec__ is not None and __main__.__spec__.name.startswith("llem.process"):
    raise ImportError("works in a listing only")
