"""Combinations that TensorRT-LLM refuses or silently changes, each with the reason and a hint.

They repeat the checks of TensorRT-LLM's configuration classes, as far as these need neither a GPU
nor the model. A field's marker refuses fields that exclude each other; these rules refuse the rest.
"""
