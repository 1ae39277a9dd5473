"""llem measures the energy, speed, memory and arithmetic of LLM inference on any engine.

The package is a set of rooms, each with one idea; ``docs/explain/architecture.md`` is the map.
Importing it imports nothing else, so that the command line starts fast.
"""

__version__ = "0.1.0"
