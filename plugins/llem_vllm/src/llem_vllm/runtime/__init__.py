"""What runs in the worker; the only part of the plugin that imports vLLM."""
