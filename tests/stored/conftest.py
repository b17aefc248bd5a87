"""What tests of stored rows share."""

import pytest
from django.contrib import admin


@pytest.fixture(scope="session", autouse=True)
def _admin_pages() -> None:
    """The admin's pages, which are found with the site's addresses and not before."""
    admin.autodiscover()
