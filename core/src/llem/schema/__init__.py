"""Documents: an experiment, the calls it makes, its outcome, and the reasons of a verdict."""
