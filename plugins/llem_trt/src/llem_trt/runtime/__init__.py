"""The part of the plugin that runs in the worker, and the only one that imports TensorRT-LLM."""
