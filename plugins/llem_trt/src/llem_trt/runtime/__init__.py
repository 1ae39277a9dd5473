"""What runs in the worker; the only part that may import TensorRT-LLM."""
