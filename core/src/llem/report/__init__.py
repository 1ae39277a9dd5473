"""Outcomes for human readers."""
