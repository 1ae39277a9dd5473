"""The worker process, both ends: the worker loads one engine and answers the host."""
