"""Whether two sides differ, and how sure that is: ``llem compare`` and its regression gate."""
