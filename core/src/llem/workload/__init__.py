"""From a workload's description to token ids, once, in the host, the same for every backend."""

from llem.workload.build_workload import PreparedWorkload, build_workload
from llem.workload.prompt_sources import load_texts
from llem.workload.tokenizing import find_tokenizer

__all__ = ["PreparedWorkload", "build_workload", "find_tokenizer", "load_texts"]
