"""The config section, one file an idea; ``trt`` puts them together."""
