"""Rates and currencies as rows: imported, read back, edited."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db.utils import IntegrityError
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from catalog.engine.tables import FIXTURES, BadTable
from catalog.models import Source
from costing.engine.cases import CostRules
from costing.engine.rates import rules_from_rates, shipped_rates
from costing.models import Currency, Facility, Financing, Rate
from costing.queries import currencies, rates
from costing.services import ensure_rates, import_rates

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rates.csv", "currencies.csv"):
        shutil.copy(FIXTURES / name, tmp_path)
    return tmp_path


def test_every_shipped_rate_is_taken() -> None:
    report = import_rates()
    assert (report.tables["rates"].added, report.refused) == (len(shipped_rates()), [])


def test_a_second_import_changes_nothing() -> None:
    import_rates()
    again = import_rates().tables["rates"]
    assert (again.added, again.changed, again.unchanged) == (0, 0, len(shipped_rates()))


def test_a_dry_run_stores_nothing() -> None:
    import_rates(dry_run=True)
    assert not Rate.objects.exists()


def test_stored_rates_read_as_shipped_ones() -> None:
    import_rates()
    assert dict(rates()) == dict(shipped_rates())


def test_without_rows_the_shipped_rates_hold() -> None:
    assert dict(rates()) == dict(shipped_rates())


def test_an_edited_rate_stands_over_the_shipped_one() -> None:
    import_rates()
    Rate.objects.filter(pk="staff").update(value=Decimal(90_000), low=None, high=None)
    assert rules_from_rates(rates()).staff_usd_per_year == 90_000.0


def test_rates_are_loaded_once_where_none_are_stored() -> None:
    assert (ensure_rates(), ensure_rates()) == (True, False)


def test_a_changed_row_is_updated_with_its_history(folder: Path) -> None:
    import_rates(folder)
    path = folder / "rates.csv"
    path.write_text(path.read_text().replace("staff,Yearly cost", "staff,The yearly cost"))
    changed = import_rates(folder).tables["rates"].changed
    assert (changed, Rate.objects.get(pk="staff").history.count()) == (1, 2)


def test_a_rate_below_its_own_range_is_refused_with_its_line(folder: Path) -> None:
    path = folder / "rates.csv"
    path.write_text(
        path.read_text().replace(
            "staff,Yearly cost of one operations engineer,128000",
            "staff,Yearly cost of one operations engineer,1000",
        )
    )
    assert [str(refusal) for refusal in import_rates(folder).refused] == [
        "rates.csv, line 2: low 121000 is above the value 1000"
    ]


def test_a_cut_off_file_changes_nothing_at_all(folder: Path) -> None:
    path = folder / "currencies.csv"
    path.write_text(path.read_text()[:-40])
    with pytest.raises(BadTable, match="cut off"):
        import_rates(folder)
    assert not Rate.objects.exists()


def test_the_euro_is_worth_what_the_central_bank_said_on_its_day() -> None:
    import_rates()
    euro = currencies()["EUR"]
    assert (euro.usd_per_unit, euro.observed_on) == (1.1699, "2026-08-21")


def test_rates_are_read_in_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    import_rates()
    with django_assert_num_queries(1):
        rates()


def test_the_database_refuses_a_range_that_leaves_the_value_out() -> None:
    source = Source.objects.create(title="Somebody")
    with pytest.raises(IntegrityError):
        Rate.objects.create(
            id="x", label="x", value=1, low=2, unit="USD", evidence="assumed", source=source
        )


def test_the_database_refuses_a_currency_worth_nothing() -> None:
    source = Source.objects.create(title="Somebody")
    with pytest.raises(IntegrityError):
        Currency.objects.create(
            code="XXX", name="x", usd_per_unit=0, observed_on="2026-01-01", source=source
        )


def test_a_colocation_states_the_price_of_its_space() -> None:
    room = Facility(
        name="Frankfurt",
        is_colocation=True,
        space_usd_per_kw_month=Decimal(190),
        pue=Decimal("1.3"),
    )
    assert CostRules(**room.to_rules()).colocation_usd_per_kw_month == 190.0


def test_what_a_finance_department_leaves_open_stays_as_it_was() -> None:
    terms = Financing(name="Group", discount_rate=Decimal("0.09"), residual_fraction=Decimal(0))
    assert terms.to_rules() == {"discount_rate": 0.09, "residual_fraction": 0.0}


@pytest.mark.parametrize("table", ["rate", "currency", "facility", "financing"])
def test_every_table_is_edited_in_the_admin(
    client: Client, settings: Settings, tmp_path: Path, table: str
) -> None:
    settings.STATIC_ROOT = tmp_path
    import_rates()
    client.force_login(User.objects.create_superuser("admin"))
    pages = [client.get(f"/admin/costing/{table}/{page}").status_code for page in ("", "add/")]
    assert pages == [200, 200]
