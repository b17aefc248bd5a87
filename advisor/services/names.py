"""The names that answers may carry: the catalogue's, and the sellers of an asker's own quotes."""

from advisor.questions import Names
from advisor.services.private import Private
from catalog.queries import (
    find_accelerator,
    find_model,
    maker_spellings,
    provider_spellings,
)


def names_of(private: Private) -> Names:
    """How names are found for an asker with these quotes."""
    return Names(
        model=find_model,
        accelerator=find_accelerator,
        provider=lambda: (
            {bid.vendor.lower(): bid.vendor for bid in private.bids} | provider_spellings()
        ),
        maker=maker_spellings,
    )
