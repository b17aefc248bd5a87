"""Time as the database tells it: one clock for any number of machines."""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(seconds: float) -> ExpressionWrapper:
    """The moment that many seconds after the database's now, computed by the database."""
    later = Now() + Value(timedelta(seconds=seconds))
    return ExpressionWrapper(later, output_field=DateTimeField())
