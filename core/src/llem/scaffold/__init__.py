"""Begin a plugin: write a package that works, to be changed into one's own."""

from llem.scaffold.identity import Identity, identify
from llem.scaffold.write import write_package

__all__ = ["Identity", "identify", "write_package"]
