"""The advisor: what to run an AI workload on, and why."""

import os

__version__ = "0.5.0"

# Before NumPy is loaded: sums come out with the same last digits in every process, and matrices of
# a few hundred rows are faster on one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
