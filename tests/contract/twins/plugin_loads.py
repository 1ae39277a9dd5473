"""Its module cannot be imported."""

raise ImportError("a library of it is missing")
