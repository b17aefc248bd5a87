"""What-ifs along a request's path: distance, stages, sharing, scaling, failures."""

from advisor.services.paths.asked import Field, Problems, Values, read_values
from advisor.services.paths.subject import Subject, subject_of
from advisor.services.paths.topics import TOPICS, Topic

__all__ = [
    "TOPICS",
    "Field",
    "Problems",
    "Subject",
    "Topic",
    "Values",
    "read_values",
    "subject_of",
]
