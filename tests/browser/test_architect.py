"""From a preset to the answer in a real browser, as an architect goes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Look, Site, look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ANSWER_WITHIN_MS = 60_000


@pytest.fixture
def tab(chromium: Browser, site: Site) -> Iterator[Look]:
    opened = look(chromium, site.address)
    yield opened
    opened.page.context.close()


def test_a_run_shows_its_progress_and_can_be_cancelled(tab: Look) -> None:
    tab.open("/start/chatbot_1m")
    tab.page.get_by_role("button", name="Get the advice").click()
    expect(tab.page.get_by_role("progressbar")).to_be_visible()
    tab.page.wait_for_timeout(2_500)  # some rounds of polling
    expect(tab.page.get_by_role("status")).to_contain_text("Waiting for a free worker")

    tab.page.get_by_role("button", name="Cancel").click()

    expect(tab.page.get_by_role("heading", name="Cancelled")).to_be_visible()
    assert (tab.complaints, tab.violations()) == ([], [])


def test_a_preset_leads_to_an_answer(tab: Look, working_site: Site) -> None:
    tab.open("/")
    tab.page.locator(".card a", has_text="Chatbot for 1 million users").click()
    tab.page.get_by_label("Number of users").fill("250")
    tab.page.get_by_role("button", name="Get the advice").click()

    expect(tab.page.locator(".sentence")).to_be_visible(timeout=ANSWER_WITHIN_MS)
    expect(tab.page.locator("[data-chart-place][data-drawn]")).to_have_count(2)
    assert (tab.complaints, tab.violations()) == ([], [])


def test_sorting_changes_the_table_in_place(tab: Look, working_site: Site) -> None:
    tab.open("/start/code_assistant_2k")
    tab.page.get_by_role("button", name="Get the advice").click()
    expect(tab.page.locator(".sentence")).to_be_visible(timeout=ANSWER_WITHIN_MS)
    tab.page.locator("th").get_by_role("link", name="First token, p99").first.click()

    sorted_column = tab.page.locator("th[aria-sort=ascending]")
    expect(sorted_column).to_contain_text("First token, p99")
    expect(sorted_column.get_by_role("link")).to_be_focused()
    assert ("sort=ttft_p99_s" in tab.page.url, tab.complaints) == (True, [])


def test_a_wrong_field_is_named_and_focused(tab: Look) -> None:
    tab.open("/start/chatbot_1m")
    tab.page.get_by_label("Number of users").fill("plenty")
    tab.page.get_by_role("button", name="Get the advice").click()

    expect(tab.page.locator("[data-problems]")).to_be_focused()
    expect(tab.page.get_by_label("Number of users")).to_have_value("plenty")


def test_another_kind_of_work_changes_the_questions_at_once(tab: Look) -> None:
    tab.open("/start/chatbot_1m")
    tab.page.get_by_role("button", name="Answer more questions first").click()
    tab.page.locator("#w0-workload").focus()
    tab.page.locator("#w0-workload").select_option("vision")

    expect(tab.page.locator("#w0-vision_streams")).to_be_visible()
    expect(tab.page.locator("#w0-workload")).to_be_focused()
    assert (tab.complaints, tab.violations()) == ([], [])


def test_the_main_path_works_without_scripts(
    chromium: Browser, site: Site, working_site: Site
) -> None:
    plain = look(chromium, site.address, java_script_enabled=False)
    plain.open("/start/article_finetune_4xh100_72h")
    plain.page.get_by_role("button", name="Get the advice").click()

    expect(plain.page.locator(".sentence")).to_contain_text("6,910", timeout=ANSWER_WITHIN_MS)
    expect(plain.page.locator("#cost tfoot tr")).to_contain_text("$6,910.00")
    plain.page.context.close()
