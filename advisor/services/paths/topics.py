"""The what-ifs there are: what each asks and how it is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.services.paths import availability, distance, pools, serverless, stages
from advisor.services.paths.asked import Field, Values, read_values
from advisor.services.paths.documents import Document
from advisor.services.paths.subject import Subject

SCHEMA = "path/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One what-if: its name, its words, its figures and its answer."""

    id: str
    label: str
    title: str
    lede: str
    method: str  # page of the method
    fields: Callable[[Subject], Sequence[Field]]
    answer: Callable[[Subject, Values], Document]

    def document(self, subject: Subject, given: Mapping[str, Any]) -> Document:
        """The answer to a what-if; raises Problems for figures that cannot be used."""
        values = read_values(self.fields(subject), given)
        return {
            "schema": SCHEMA,
            "topic": self.id,
            "plan_id": subject.plan.id,
            "plan": subject.plan.name,
            "values": values,
            **self.answer(subject, values),
        }


TOPICS: Mapping[str, Topic] = {
    topic.id: topic
    for topic in (
        Topic(
            id="distance",
            label="Distance",
            title="How far are the users?",
            lede="The way over the network, place by place, and what a place near each user costs.",
            method="distance",
            fields=distance.fields,
            answer=distance.answer,
        ),
        Topic(
            id="stages",
            label="Stages",
            title="What else is on the way?",
            lede="Retrieval, guardrails, signatures and tools, simulated on the same requests.",
            method="stages",
            fields=stages.fields,
            answer=stages.answer,
        ),
        Topic(
            id="pools",
            label="Sharing",
            title="One pool, or one for each product?",
            lede="A bursty neighbour on the same machines, and what it costs to part from it.",
            method="pools",
            fields=pools.fields,
            answer=pools.answer,
        ),
        Topic(
            id="serverless",
            label="Scaling",
            title="What if machines come and go?",
            lede="Cold starts, scaling to zero, and the traffic at which always-on is cheaper.",
            method="serverless",
            fields=serverless.fields,
            answer=serverless.answer,
        ),
        Topic(
            id="availability",
            label="Failures",
            title="What if something is down?",
            lede="Machines, zones and regions that fail, and the spares that keep the promise.",
            method="availability",
            fields=availability.fields,
            answer=availability.answer,
        ),
    )
}
