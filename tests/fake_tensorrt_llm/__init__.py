"""A fake of TensorRT-LLM that checks calls, for machines that cannot install it."""
