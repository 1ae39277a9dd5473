"""Studies: ordered sets of experiments that survive, resume, and waste no time."""
