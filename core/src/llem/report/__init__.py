"""Outcomes for readers: a table in the terminal, a comparison, and the report of a study."""
