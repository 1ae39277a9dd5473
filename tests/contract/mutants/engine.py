"""The engine that the mutants drive: it computes with whole numbers."""

from llem.api.parameter_audit import FoundParameter

VOCAB_SIZE = 100


class Model:
    def __init__(self, model, *, threads=1, dtype="float32", weights=None, debug=False):
        self.model = model
        self.threads = threads
        self.dtype = dtype

    def generate(self, prompt_ids, limit):
        return [1 + (sum(prompt_ids) + step) % (VOCAB_SIZE - 1) for step in range(limit)]


def surface():
    """Return the parameters of the engine, as a parameter audit reads them."""
    names = ("model", "threads", "dtype", "weights", "debug")
    return {"mutants.engine.Model": [FoundParameter(name) for name in names]}
