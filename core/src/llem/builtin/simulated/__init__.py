"""A backend without an engine, for studies and tests; never valid as a measurement."""
