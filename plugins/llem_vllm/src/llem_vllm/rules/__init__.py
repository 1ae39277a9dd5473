"""Combinations that vLLM refuses or silently changes, each with the reason and a hint.

A field's type refuses single values, and its marker refuses fields that exclude each other; these
rules refuse the rest.
"""
