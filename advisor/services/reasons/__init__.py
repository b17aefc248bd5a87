"""Why this plan: everything a board asks of a recommendation, each answer tried by a re-run."""
