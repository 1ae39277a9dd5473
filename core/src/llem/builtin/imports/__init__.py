"""Reading results of tools that are nobody's engine."""
