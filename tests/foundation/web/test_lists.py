from collections.abc import Iterator

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import RequestFactory

from foundation.web import paging, tables
from foundation.web.paging import Page
from foundation.web.tables import Column, Value

COLUMNS = (Column("Name", key="name", heading=True), Column("Calls", key="calls", numeric=True))


def pages(rf: RequestFactory, order: tuple[str, ...]) -> Iterator[Page[ContentType]]:
    address = "/list/?state=on"
    while address:
        page = paging.by_cursor(rf.get(address), ContentType.objects.all(), order=order, size=3)
        yield page
        address = page.next_url


@pytest.mark.parametrize("order", [("pk",), ("-id",), ("app_label", "-model", "id")])
def test_cursors_walk_every_row_once_in_order(rf: RequestFactory, order: tuple[str, ...]) -> None:
    if order == ("pk",):
        order = ("id",)

    seen = [row.pk for page in pages(rf, order) for row in page.rows]

    assert len(seen) > 3
    assert seen == [row.pk for row in ContentType.objects.order_by(*order)]


def test_the_way_back_shows_the_same_pages(rf: RequestFactory) -> None:
    forward = list(pages(rf, ("app_label", "id")))

    address, back = forward[-1].previous_url, []
    while address:
        page = paging.by_cursor(
            rf.get(address), ContentType.objects.all(), order=("app_label", "id"), size=3
        )
        back.append([row.pk for row in page.rows])
        address = page.previous_url

    assert back == [[row.pk for row in page.rows] for page in reversed(forward[:-1])]


def test_filters_stay_in_the_address_of_the_next_page(rf: RequestFactory) -> None:
    first = next(pages(rf, ("id",)))

    assert "state=on" in first.next_url
    assert first.previous_url == ""


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "e30",
        "bnVsbA",
        "W10",
        "eyJ2IjpbXX0",
        "eyJ2IjpbIngiXX0",
        "eyJ2IjpbIlx1MDAwMCJdfQ",
        "a" * 5000,
    ],
)
def test_a_spoilt_cursor_is_the_first_page(rf: RequestFactory, cursor: str) -> None:
    page = paging.by_cursor(
        rf.get("/", {"cursor": cursor}), ContentType.objects.all(), order=("id",), size=3
    )

    assert [row.pk for row in page.rows] == [
        row.pk for row in ContentType.objects.order_by("id")[:3]
    ]


@pytest.mark.parametrize(
    ("asked", "rows"), [("1", (0, 1)), ("3", (4,)), ("99", (4,)), ("x", (0, 1))]
)
def test_numbered_pages_forgive_a_wrong_number(
    rf: RequestFactory, asked: str, rows: tuple[int, ...]
) -> None:
    page = paging.by_number(rf.get("/", {"page": asked}), range(5), size=2)

    assert page.rows == rows
    assert page.total == 5
    assert [number.number for number in page.numbers] == [1, 2, 3]


def test_one_page_has_no_numbers(rf: RequestFactory) -> None:
    page = paging.by_number(rf.get("/"), [1], size=2)

    assert page.numbers == ()
    assert (page.previous_url, page.next_url) == ("", "")


def test_a_heading_sorts_and_then_turns_the_order(rf: RequestFactory) -> None:
    fresh, _ = tables.headings(rf.get("/?cursor=abc"), COLUMNS)
    sorted_by, _ = tables.headings(rf.get("/?sort=name"), COLUMNS)
    turned, _ = tables.headings(rf.get("/?sort=-name"), COLUMNS)

    assert (fresh.sort_url, fresh.sort_order) == ("/?sort=name", "")
    assert (sorted_by.sort_url, sorted_by.sort_order) == ("/?sort=-name", "ascending")
    assert (turned.sort_url, turned.sort_order) == ("/?sort=name", "descending")


@pytest.mark.parametrize(
    ("asked", "order"), [("calls", "calls"), ("-calls", "-calls"), ("password", "name")]
)
def test_only_known_columns_sort(rf: RequestFactory, asked: str, order: str) -> None:
    assert tables.sort_order(rf.get("/", {"sort": asked}), COLUMNS, default="name") == order


def test_cells_carry_their_heading_for_narrow_screens() -> None:
    ((name, calls),) = tables.cells(COLUMNS, [(Value("A", href="/a/"), 7)])

    assert (name.text, name.href, name.heading, name.label) == ("A", "/a/", True, "Name")
    assert (calls.text, calls.numeric, calls.label) == (7, True, "Calls")


def test_a_chip_removes_its_filter_alone(rf: RequestFactory) -> None:
    (chip,) = tables.chips(
        rf.get("/?state=on&kind=x&cursor=c"), {"state": "State: on", "unused": "Unused"}
    )

    assert chip.remove_url == "/?kind=x"


def test_a_filter_may_be_called_like_an_argument_of_ours(rf: RequestFactory) -> None:
    (chip,) = tables.chips(rf.get("/?request=7"), {"request": "Request: 7"})

    assert chip.remove_url == "/"
