"""From a workload's description to token ids, once, in the host, the same for every backend."""
