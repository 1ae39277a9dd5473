"""TensorRT-LLM as a backend of llem."""
