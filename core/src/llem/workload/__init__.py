"""Turn a workload section into requests of token ids, in the host, alike for every backend."""
