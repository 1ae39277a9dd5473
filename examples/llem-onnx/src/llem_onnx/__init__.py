"""ONNX Runtime GenAI backend for llem."""
