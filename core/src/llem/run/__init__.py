"""Running an experiment: check the machine, start the worker, drive it, meter it, conclude."""
