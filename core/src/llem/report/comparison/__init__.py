"""Comparing outcomes: what is alike, what differs, by how much, and how sure that is."""
