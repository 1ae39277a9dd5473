"""vLLM as a backend of llem."""
