"""A file's way in, as people see it: its preview, its progress, a reload and a lost connection in the middle."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.support.browsing import fits, log_in

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group(__name__)]

CHUNK = 1 << 20
CHUNKS = "**/upload_chunk/"
REPORT = re.compile(r"/imports/[0-9a-f-]{36}/$")
HEADER = "vehicle_id,timestamp,odometer,soc,elevation,remark"
on_a_desk = pytest.mark.parametrize("page", [("desk", "light")], indirect=True, ids="-".join)
on_a_phone = pytest.mark.parametrize("page", [("phone", "dark")], indirect=True, ids="-".join)


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """make_file("80", "eighty", remark=100): a file with a row for each state of charge, of a vehicle of its own."""
    vehicle = f"T-{secrets.token_hex(4)}"

    def make(*charges: str, name: str = "fleet.csv", remark: int = 0, header: str = HEADER) -> Path:
        lines = [f"{vehicle},2024-05-01T12:00:{n:02}Z,{n},{soc},5,{'x' * remark}" for n, soc in enumerate(charges)]
        path = tmp_path / name
        path.write_text("\n".join([header, *lines, ""]))
        return path

    return make


@pytest.fixture
def make_large(make_file: Callable[..., Path]) -> Callable[[], Path]:
    """make_large(): a file of ten chunks."""
    return lambda: make_file(*["50"] * 10, remark=CHUNK - 60, name="large.csv")


def choose(page: Page, *paths: Path) -> None:
    page.get_by_label("Choose files").set_input_files([str(path) for path in paths])


def send(page: Page, label: str = "Import") -> None:
    page.get_by_role("button", name=label, exact=True).click()


def expect_report(page: Page, sentence: str) -> None:
    page.wait_for_url(REPORT)
    expect(page.locator("main")).to_contain_text(sentence)
    assert fits(page)


@contextmanager
def chunks_held_after(page: Page, count: int) -> Iterator[list[Route]]:
    """Of the chunks that the page sends, the first `count` pass; the others are held, as they come, in the list."""
    held: list[Route] = []
    passed: list[Route] = []

    def hold(route: Route) -> None:
        if len(passed) < count:
            passed.append(route)
            route.continue_()
        else:
            held.append(route)

    page.route(CHUNKS, hold)
    yield held
    page.unroute(CHUNKS)


def until_there_are(count: int, things: list[Route], page: Page) -> None:
    while len(things) < count:
        page.wait_for_timeout(20)  # in which the page goes on, and events are heard


def chunks_of(page: Page) -> list[Request]:
    """Grows by each chunk that the page sends."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if fnmatch(request.url, CHUNKS) else None)
    return sent


def test_a_file_is_looked_at_and_sent_and_its_refused_row_mended(
    page: Page, make_file: Callable[..., Path], tmp_path: Path
) -> None:
    log_in(page)
    page.goto("/imports/")
    choose(page, make_file("80", "eighty", "81"))
    preview = page.get_by_role("region", name="The first rows")
    expect(preview.get_by_role("columnheader", name="soc State of charge, %")).to_be_visible()
    expect(preview.get_by_role("columnheader", name="remark ignored")).to_be_attached()
    expect(preview.get_by_role("row", name="eighty")).to_contain_text("soc: not a number")
    expect(page.get_by_text("bytes, 3 rows")).to_be_visible()
    assert fits(page)
    send(page)
    expect_report(page, "2 stored, 1 refused")
    with page.expect_download() as started:
        page.get_by_role("link", name="Refused rows as a file to mend").click()
    mended = tmp_path / "mended.csv"
    mended.write_text(Path(started.value.path()).read_text().replace("eighty", "80"))
    page.get_by_role("link", name="Send the mended file").click()
    choose(page, mended)
    expect(page.get_by_role("columnheader", name="refused_because ignored")).to_be_attached()
    send(page)
    expect_report(page, "1 stored, 0 refused")
    page.goto("/")
    expect(page.get_by_role("region", name="Newest imports")).to_contain_text("mended.csv")
    assert fits(page)


@on_a_phone
def test_after_a_reload_only_what_is_missing_is_sent(page: Page, make_large: Callable[[], Path]) -> None:
    log_in(page)
    page.goto("/imports/")
    file = make_large()
    choose(page, file)
    with chunks_held_after(page, 4) as held:
        send(page)
        until_there_are(3, held, page)
        expect(page.get_by_label("Sent")).to_be_visible()
        expect(page.get_by_text(re.compile(r"^[4-7][0-9] % · [0-9.]+ MB of 10 MB"))).to_be_visible()
        page.once("dialog", lambda dialog: dialog.accept())  # it warns that a file is on its way
        page.reload()
    expect(page.get_by_text("4.2 MB of about 10 MB are here. Drop the same file again to go on.")).to_be_visible()
    assert fits(page)
    sent = chunks_of(page)
    choose(page, file)
    expect(page.get_by_text("4.2 MB of 10 MB are here already. Only the rest is sent.")).to_be_visible()
    send(page, "Go on")
    expect_report(page, "10 stored, 0 refused")
    assert len(sent) == 6


@on_a_desk
def test_a_lost_connection_is_waited_for(page: Page, make_large: Callable[[], Path], complaints: list[str]) -> None:
    log_in(page)
    page.goto("/imports/")
    choose(page, make_large())
    with chunks_held_after(page, 2) as held:
        send(page)
        expect(page.get_by_text("Sending")).to_be_visible()
        until_there_are(3, held, page)
        page.context.set_offline(True)
        for route in held:
            route.abort("internetdisconnected")
        expect(page.get_by_text("The connection is lost.")).to_be_visible()
    page.context.set_offline(False)
    expect_report(page, "10 stored, 0 refused")
    complaints[:] = [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one]


@on_a_phone
def test_a_file_can_be_paused_and_called_off(page: Page, make_large: Callable[[], Path]) -> None:
    log_in(page)
    page.goto("/imports/")
    choose(page, make_large())
    with chunks_held_after(page, 2) as held:
        send(page)
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("Paused. What was sent is kept.")).to_be_visible()
        expect(page.get_by_role("button", name="Go on")).to_be_focused()
        page.get_by_role("button", name="Cancel").click()
        for route in held:
            route.abort()
    expect(page.get_by_text("large.csv was discarded.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


@on_a_desk
def test_several_dropped_files_are_sent_one_after_the_other(page: Page, make_file: Callable[..., Path]) -> None:
    log_in(page)
    page.goto("/imports/")
    files = [make_file("70", name="one.csv"), make_file("x", name="two.csv")]
    contents = [{"name": file.name, "text": file.read_text()} for file in files]
    dropped = page.evaluate_handle(
        """(files) => {
            const dropped = new DataTransfer();
            for (const { name, text } of files) dropped.items.add(new File([text], name, { type: "text/csv" }));
            return dropped;
        }""",
        contents,
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": dropped})
    cards = page.locator("[data-file]")
    for card in cards.all():
        card.get_by_role("button", name="Import").click()
    expect(cards.nth(0)).to_contain_text("1 stored, 0 refused")
    expect(cards.nth(1)).to_contain_text("0 stored, 1 refused")
    past = page.get_by_role("region", name="Past imports", exact=True).first
    expect(past.get_by_role("row", name=re.compile("^two.csv .* All refused")).first).to_be_visible()
    cards.nth(0).get_by_role("link", name="See the report").click()
    expect_report(page, "1 stored, 0 refused")


@on_a_phone
def test_a_file_without_ids_asks_whose_rows_they_are(page: Page, make_file: Callable[..., Path]) -> None:
    log_in(page)
    page.goto("/imports/")
    choose(page, make_file("70", header=HEADER.replace("vehicle_id", "plate")))
    asked = page.get_by_label("This file has no column vehicle_id. Whose rows are these?")
    expect(asked).to_be_focused()
    expect(page.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    asked.fill("VAN-0002")
    asked.press("Enter")
    send(page)
    expect_report(page, "1 stored, 0 refused")
    page.get_by_role("main").get_by_role("link", name="VAN-0002").first.click()
    expect(page.get_by_role("heading", name="VAN-0002")).to_be_visible()


@on_a_desk
def test_what_cannot_be_loaded_is_told_before_it_is_sent(
    page: Page, make_file: Callable[..., Path], tmp_path: Path, complaints: list[str]
) -> None:
    picture = tmp_path / "fleet.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    log_in(page)
    page.goto("/imports/")
    choose(page, picture)
    expect(page.get_by_role("alert")).to_have_text("This is not a CSV file but a PNG image.")
    page.get_by_role("button", name="Cancel").click()
    choose(page, make_file("70", header="vehicle_id,timestamp,odometer,charge,elevation,remark"))
    expect(page.get_by_role("alert")).to_contain_text("missing required columns: soc")
    expect(page.get_by_role("columnheader", name="soc missing")).to_be_visible()
    expect(page.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    complaints[:] = [one for one in complaints if "400 (Bad Request)" not in one]


@on_a_desk
def test_the_keyboard_reaches_the_files(page: Page) -> None:
    log_in(page)
    page.goto("/imports/")
    field = page.get_by_label("Choose files")
    field.focus()
    expect(field).to_be_focused()
    with page.expect_file_chooser():
        field.press("Enter")


@on_a_phone
def test_a_viewer_looks_and_has_no_place_to_drop(page: Page) -> None:
    log_in(page, name="demo-viewer")
    page.goto("/imports/")
    expect(page.get_by_role("heading", name="Imports", exact=True)).to_be_visible()
    expect(page.get_by_label("Choose files")).to_have_count(0)
