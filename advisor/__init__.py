"""The advisor: what to run an AI workload on, and why."""

__version__ = "0.3.0"
