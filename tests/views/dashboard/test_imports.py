"""The pages of imports: who may drop files, the list of those that came, and what became of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from tests.people import Person
from tests.support.uploads import GOOD, HEADER, LATER, FileUpload, refused_table
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.jobs.models import Run, RunState
from wattkeeper.config import jobs as config_jobs
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState
from wattkeeper.kinds.vehicle.streams import TELEMETRY
from wattkeeper.views.dashboard.pages.imports import ROWS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("vehicle_store")]

PAGE = "/imports/"
BAD = b"2024-05-01T12:00:02Z,100,eighty,5,10,D\n"
EVIL = "<script>alert(1)</script>.csv"
DROP = "data-drop"
UNKNOWN = "\N{EN DASH}"


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(person.user)
    return client


def text_of(answer: Any) -> str:
    """The page's main part as a person reads it."""
    main = re.search(r"<main.*?</main>", answer.content.decode(), re.DOTALL)
    assert main
    shown = re.sub(r"<template.*?</template>", "", main[0], flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", shown).split())


def rows_of(answer: Any) -> list[list[str]]:
    """The cells of the last table, without its heading."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", answer.content.decode(), re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", bodies[-1], re.DOTALL) if bodies else []
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def names_in(answer: Any) -> list[str]:
    return [row[0] for row in rows_of(answer) if row]


def upload_make(person: Person, **columns: Any) -> Upload:
    """One of that person's, as it stands in the database."""
    given = {"file_name": "fleet.csv", "total_chunks": 3, "stream": TELEMETRY.name, "tenant": person.tenant, **columns}
    return Upload.objects.create(owner=f"user:{person.user.pk}", **given)


def run_make(upload: Upload, **columns: Any) -> Run:
    run = Run.objects.create(name="upload.load", key=str(upload.pk), tenant_id=upload.tenant_id, **columns)
    Upload.objects.filter(pk=upload.pk).update(run_id=run.pk)
    return run


def load(person: Person, content: bytes, **name: Any) -> str:
    """The path of the page of a file that was sent and loaded."""
    return f"{PAGE}{FileUpload(person.session, **name).load(content)['id']}/"


@pytest.fixture
def own_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A queue of this test's own, which nobody works off."""
    monkeypatch.setattr(django_settings, "HOME", tmp_path)
    config_jobs.queue_close()
    yield
    config_jobs.queue_close()


class TestDropping:
    @pytest.mark.parametrize(("role", "may"), [("viewer", 0), ("operator", 0), ("manager", 1), ("admin", 1)])
    def test_who_may_send_readings_has_a_place_to_drop_files(
        self, role: str, may: bool, make_person: Callable[..., Person]
    ) -> None:
        answer = browser(make_person(role)).get(PAGE)
        assert answer.status_code == 200
        assert (DROP in answer.content.decode()) == may
        assert ("wattkeeper/imports.js" in answer.content.decode()) == may
        assert f'href="{PAGE}"' in answer.content.decode()  # in the bar, for everyone

    def test_the_page_knows_the_addresses_of_the_api(self, owner: Person) -> None:
        page = browser(owner).get(PAGE).content.decode()
        for step in ("preview", "chunk", "finalize", "uploads"):
            assert f'data-{step}="{reverse(f"{TELEMETRY.name}-{step}")}"' in page

    def test_a_link_can_say_whose_rows_the_next_file_has(self, owner: Person) -> None:
        page = browser(owner).get(PAGE, {"asset": 'V"1', "stream": TELEMETRY.name}).content.decode()
        assert 'id="asset" value="V&quot;1"' in page

    def test_who_stands_above_tenants_first_chooses_one(
        self, superuser: Person, tenant: Tenant, other_tenant: Tenant
    ) -> None:
        client = browser(superuser)
        page = client.get(PAGE)
        assert DROP not in page.content.decode()
        assert "choose at the top in which tenant" in text_of(page)
        page = client.get(PAGE, {"tenant": "north"})
        assert f'data-chunk="{reverse(f"{TELEMETRY.name}-chunk")}?tenant=north"' in page.content.decode()
        assert "Drop CSV files here for North" in text_of(page)

    def test_what_one_has_not_finished_stands_at_the_top(
        self, owner: Person, make_person: Callable[..., Person]
    ) -> None:
        FileUpload(owner.session, "half.csv").send_chunk(HEADER + GOOD, 0, 2)
        page = browser(owner).get(PAGE)
        assert f"{len(HEADER + GOOD)} bytes of about {2 * len(HEADER + GOOD)} bytes are here" in text_of(page)
        assert "Drop the same file again to go on" in text_of(page)
        assert "data-unfinished=" not in browser(make_person("manager")).get(PAGE).content.decode()

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_the_list_is_for_looking_only(self, method: str, owner: Person) -> None:
        assert getattr(browser(owner), method)(PAGE).status_code == 405


class TestTheList:
    def test_files_stand_there_with_what_became_of_them_newest_first(self, owner: Person) -> None:
        load(owner, HEADER + GOOD + BAD, file_name="first.csv", vehicle_id="L1")
        load(owner, HEADER + GOOD + LATER, file_name="second.csv", vehicle_id="L1")
        load(owner, HEADER + BAD, file_name="third.csv", vehicle_id="L1")
        upload_make(owner, file_name="fourth.csv")
        rows = [[row[0], *row[2:]] for row in rows_of(browser(owner).get(PAGE))]
        assert rows == [
            ["fourth.csv", "Unfinished", *[UNKNOWN] * 3, "Vehicle", "in the file", "owner"],
            ["third.csv", "All refused", "0", "1", "0", "Vehicle", "L1", "owner"],
            ["second.csv", "Loaded", "1", "0", "1", "Vehicle", "L1", "owner"],
            ["first.csv", "Some refused", "1", "1", "0", "Vehicle", "L1", "owner"],
        ]

    def test_another_tenants_files_are_not_there(self, owner: Person, stranger: Person, superuser: Person) -> None:
        upload_make(owner, file_name="secret-plan.csv")
        for query in ("", "?search=secret", "?status=receiving"):
            assert "secret-plan" not in browser(stranger).get(f"{PAGE}{query}").content.decode()
        assert browser(stranger).get(PAGE, {"tenant": "north"}).status_code == 400
        assert rows_of(browser(superuser).get(PAGE))[0][-1] == "North"
        assert names_in(browser(superuser).get(PAGE, {"tenant": "south"})) == []

    def test_a_tenant_without_files_is_told_how_they_come(
        self, owner: Person, make_person: Callable[..., Person]
    ) -> None:
        for person, sentence in ((owner, "Drop one above"), (make_person("viewer"), "A manager or an admin may send")):
            text = text_of(browser(person).get(PAGE))
            assert "No imports yet" in text
            assert sentence in text
            assert "wattkeeper import FILE.csv --kind vehicle --server http://testserver --key KEY" in text

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"search": "FLEET"}, ["fleet-2.csv", "fleet-1.csv"]),
            ({"search": "v-7"}, ["other.csv"]),
            ({"search": "%"}, []),
            ({"search": "x\0"}, []),
            ({"status": "failed"}, ["fleet-2.csv"]),
            ({"status": "receiving", "search": "fleet"}, ["fleet-1.csv"]),
            ({"sort": "file_name"}, ["fleet-1.csv", "fleet-2.csv", "other.csv"]),
            ({"sort": "created_at"}, ["fleet-1.csv", "fleet-2.csv", "other.csv"]),
        ],
    )
    def test_it_is_searched_filtered_and_sorted_by_its_address(
        self, query: dict[str, str], found: list[str], owner: Person
    ) -> None:
        upload_make(owner, file_name="fleet-1.csv")
        upload_make(owner, file_name="fleet-2.csv", state=UploadState.FAILED)
        upload_make(owner, file_name="other.csv", asset_key="V-7")
        assert names_in(browser(owner).get(PAGE, query)) == found

    @pytest.mark.parametrize("query", [{"status": "lost"}, {"sort": "owner"}])
    def test_an_address_that_means_nothing_is_told(self, query: dict[str, str], owner: Person) -> None:
        assert browser(owner).get(PAGE, query).status_code == 400

    def test_many_files_are_turned_over_in_pages(self, owner: Person) -> None:
        for n in range(ROWS + 1):
            upload_make(owner, file_name=f"f-{n:03}.csv")
        client = browser(owner)
        pages = [client.get(PAGE, {"sort": "file_name", "page": n}) for n in (1, 2)]
        assert [name for page in pages for name in names_in(page)] == [f"f-{n:03}.csv" for n in range(ROWS + 1)]
        assert f"1{UNKNOWN}{ROWS} of {ROWS + 1} imports" in text_of(pages[0])

    def test_more_files_do_not_ask_the_database_more_often(
        self, superuser: Person, owner: Person, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for n in range(20):
            run_make(upload_make(owner, file_name=f"f-{n}.csv", state=UploadState.LOADING), state=RunState.RUNNING)
        client = browser(superuser)
        with django_assert_max_num_queries(16):
            assert len(rows_of(client.get(PAGE))) == 20

    def test_names_are_no_markup(self, owner: Person) -> None:
        upload = upload_make(owner, file_name=EVIL, asset_key=EVIL)
        for path in (PAGE, f"{PAGE}?search={EVIL}", f"{PAGE}{upload.pk}/", "/"):
            page = browser(owner).get(path).content.decode()
            assert EVIL not in page
            assert escape(EVIL) in page


class TestALoadedFile:
    def test_its_page_says_what_was_stored_and_what_was_refused(self, owner: Person) -> None:
        header = HEADER.replace(b"shift_state", b"shift_state,driver")
        lines = [line.replace(b"\n", b",Kim\n") for line in (GOOD, LATER, GOOD, BAD)]
        fast = b"2024-05-01T12:00:09Z,100,50,5,250,D,Kim\n"
        page = browser(owner).get(load(owner, b"".join([header, *lines, fast]), vehicle_id="R1"))
        text = text_of(page)
        assert "drive.csv Some refused" in text
        assert "3 stored, 1 refused. 1 was here already and stayed as they were." in text
        assert rows_of(page) == [["5", "soc", "eighty", "not a number"]]
        assert "speed implausible 1" in text
        assert "Ignored columns driver" in text
        assert "Rows read 5" in text
        assert "Sent by owner" in text

    def test_its_refused_rows_are_there_as_a_file_to_mend_and_as_a_report(self, owner: Person) -> None:
        path = load(owner, HEADER + BAD, vehicle_id="R2")
        page = browser(owner).get(path).content.decode()
        mend, report = (f'href="([^"]*/refused/{query})"' for query in (r"\?layout=mend", ""))
        found = [re.search(pattern, page) for pattern in (mend, report)]
        files = [owner.session.get(one[1]) for one in found if one]
        assert [file.status_code for file in files] == [200, 200]
        assert refused_table(owner.session, {"refused_csv": found[1][1] if found[1] else ""})[0]["row"] == "2"
        assert 'href="/imports/?stream=vehicle.telemetry&amp;asset=R2"' in page

    def test_who_may_not_send_is_not_asked_to(self, owner: Person, colleague: Person) -> None:
        page = browser(colleague).get(load(owner, HEADER + BAD, vehicle_id="R3")).content.decode()
        assert "Refused rows as a file to mend" in page
        assert "Send the mended file" not in page

    def test_it_leads_to_the_thing_whose_rows_they_are(self, owner: Person) -> None:
        page = browser(owner).get(load(owner, HEADER + GOOD, vehicle_id="R4"))
        assert re.search(r'href="/vehicles/[0-9]+/"', page.content.decode())
        assert "1 stored, 0 refused. All of its rows are in order." in text_of(page)

    @pytest.mark.parametrize("part", ["", "retry/", "discard/"])
    def test_to_others_it_does_not_exist(self, part: str, owner: Person, stranger: Person) -> None:
        path = load(owner, HEADER + GOOD, vehicle_id="R5")
        for unknown in (f"{path}{part}", f"{PAGE}{uuid4()}/{part}"):
            answer = browser(stranger).get(unknown)
            assert answer.status_code == 404
            assert "drive.csv" not in answer.content.decode()
            assert browser(stranger).post(unknown).status_code in ({404} if part else {405})

    def test_it_cannot_be_discarded(self, owner: Person) -> None:
        path = load(owner, HEADER + GOOD, vehicle_id="R6")
        answer = browser(owner).post(f"{path}discard/")
        assert answer.status_code == 409
        assert "cannot be discarded any more" in text_of(answer)

    def test_it_is_not_asked_for_again(self, owner: Person) -> None:
        assert "every 1s" not in browser(owner).get(load(owner, HEADER + GOOD, vehicle_id="R7")).content.decode()

    def test_the_overview_shows_the_newest(self, owner: Person, stranger: Person) -> None:
        load(owner, HEADER + GOOD + BAD, vehicle_id="R8")
        assert "drive.csv Some refused 1 stored, 1 refused" in text_of(browser(owner).get("/"))
        assert "drive.csv" not in text_of(browser(stranger).get("/"))
        assert "No imports yet" in text_of(browser(stranger).get("/"))


class TestAFileUnderWay:
    def test_while_it_is_loaded_its_page_says_how_far_and_asks_again(self, owner: Person) -> None:
        upload = upload_make(owner, state=UploadState.LOADING)
        run_make(
            upload, state=RunState.RUNNING, progress_done=5, progress_total=20, progress_text="Loading 40,000 rows"
        )
        page = browser(owner).get(f"{PAGE}{upload.pk}/")
        assert "Loading 40,000 rows…" in text_of(page)
        assert 'max="20" value="5"' in page.content.decode()
        assert 'hx-trigger="every 1s"' in page.content.decode()
        assert "every 3s" in browser(owner).get(PAGE).content.decode()

    def test_one_that_failed_says_why_and_can_be_tried_again_or_discarded(
        self, owner: Person, colleague: Person
    ) -> None:
        upload = upload_make(owner, state=UploadState.LOADING)
        run_make(upload, state=RunState.FAILED, error="The disk was full.")
        path = f"{PAGE}{upload.pk}/"
        page = browser(owner).get(path)
        assert "The disk was full." in text_of(page)
        assert "Try again" in text_of(page)
        assert "Discard" in text_of(page)
        assert "Try again" not in text_of(browser(colleague).get(path))

    def test_trying_again_loads_what_is_here(
        self, owner: Person, make_person: Callable[..., Person], own_queue: None
    ) -> None:
        FileUpload(owner.session, vehicle_id="F1").send([HEADER + GOOD])
        upload = Upload.objects.get()
        Upload.objects.update(state=UploadState.FAILED)
        answer = browser(make_person("manager")).post(f"{PAGE}{upload.pk}/retry/")
        assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}{upload.pk}/")
        upload.refresh_from_db()
        assert upload.state == UploadState.LOADING
        assert Run.objects.get(pk=upload.run_id).state == RunState.QUEUED

    def test_trying_again_what_is_not_all_here_says_what_is_missing(self, owner: Person) -> None:
        FileUpload(owner.session).send_chunk(HEADER, 0, 2)
        upload = Upload.objects.get()
        answer = browser(owner).post(f"{PAGE}{upload.pk}/retry/", follow=True)
        assert "Chunks are missing: 1." in answer.content.decode()

    def test_one_that_is_half_here_says_how_much(self, owner: Person, colleague: Person) -> None:
        FileUpload(owner.session).send_chunk(b"x" * 1_500_000, 0, 3)
        path = f"{PAGE}{Upload.objects.get().pk}/"
        assert "1.5 MB of about 4.5 MB are here." in text_of(browser(owner).get(path))
        assert "drop the same file again" in text_of(browser(owner).get(path))
        assert "owner is sending it" in text_of(browser(colleague).get(path))

    def test_discarding_forgets_it(self, owner: Person) -> None:
        client, uploads = browser(owner), [upload_make(owner, file_name=name) for name in ("a.csv", "b.csv")]
        answer = client.post(f"{PAGE}{uploads[0].pk}/discard/", follow=True)
        assert "a.csv was discarded." in answer.content.decode()
        answer = client.post(f"{PAGE}{uploads[1].pk}/discard/", headers={"HX-Request": "true"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert not Upload.objects.exists()

    @pytest.mark.parametrize("part", ["retry/", "discard/"])
    def test_who_may_not_send_may_not_decide(
        self, part: str, owner: Person, make_person: Callable[..., Person]
    ) -> None:
        upload = upload_make(owner)
        assert browser(make_person("operator")).post(f"{PAGE}{upload.pk}/{part}").status_code == 403
        assert Upload.objects.get().state == UploadState.RECEIVING

    @pytest.mark.parametrize("part", ["retry/", "discard/"])
    def test_a_link_decides_nothing(self, part: str, owner: Person) -> None:
        upload = upload_make(owner)
        answer = browser(owner).get(f"{PAGE}{upload.pk}/{part}")
        assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}{upload.pk}/")
        assert Upload.objects.get().state == UploadState.RECEIVING
