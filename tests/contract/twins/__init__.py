"""One small faulty plugin for each check: whoever weakens a check hears of it from its twin."""
