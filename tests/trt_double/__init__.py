"""A stand-in for TensorRT-LLM that checks calls, for machines that cannot install it."""
