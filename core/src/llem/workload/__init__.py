"""From a workload's description to token ids, once, in the host, the same for every backend."""

from llem.workload.build import PreparedWorkload, build_workload
from llem.workload.texts import load_texts
from llem.workload.tokenizer import find_tokenizer

__all__ = ["PreparedWorkload", "build_workload", "find_tokenizer", "load_texts"]
