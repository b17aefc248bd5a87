"""The advisor's use cases: the only place where rows meet the engine."""
