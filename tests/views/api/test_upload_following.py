"""What is told of an upload on its way, so that it can go on after a break; the list of them; and an end to one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.people import Person, client_with, key_make
from tests.support.uploads import GOOD, HEADER, LATER, PATH, FileUpload, counts, stored_rows
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import AuditEntry
from wattkeeper.base.core.clock import now
from wattkeeper.base.jobs.models import Run, RunState
from wattkeeper.flow.sources.csv_upload import actions
from wattkeeper.flow.sources.csv_upload.chunks import ChunkFolder
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedded_store", "own_queue")]

LIST = f"{PATH}uploads/"
BROKEN = b"x,1,2,3,4,D\n"


def place_of(upload: FileUpload) -> str:
    return f"{LIST}{Upload.objects.get(file_name=upload.file_name).pk}/"


def told(upload: FileUpload) -> dict[str, Any]:
    response = upload.client.get(place_of(upload))
    assert response.status_code == 200, response.content
    status: dict[str, Any] = response.json()
    return status


def chunks_of(upload: FileUpload) -> list[int]:
    return sorted(actions.folder_of(Upload.objects.get(file_name=upload.file_name).pk).present())


def give_up(upload: FileUpload) -> None:
    """As when the server was killed five times while it loaded the file."""
    run = Run.objects.create(name=actions.LOAD_JOB, key="x", owner="test", state=RunState.FAILED, error="Given up.")
    Upload.objects.filter(file_name=upload.file_name).update(state=UploadState.LOADING, run_id=run.pk)


# -- what is told ----------------------------------------------------------------------------------


def test_an_upload_on_its_way_says_what_is_here_and_whose_it_is(upload: FileUpload) -> None:
    upload = upload.named(fingerprint="7-1714564800")
    for index in (0, 1, 2, 4, 7):
        upload.send_chunk(b"12345", index, 9)
    status = told(upload)
    assert status.pop("created_at").endswith("Z")
    assert status == {
        "id": str(Upload.objects.get().pk),
        "file_name": "drive.csv",
        "vehicle_id": "V1",
        "status": "receiving",
        "by": "owner",
        "total_chunks": 9,
        "fingerprint": "7-1714564800",
        "received": [[0, 2], [4, 4], [7, 7]],
        "bytes_received": 25,
    }


def test_a_chunk_is_answered_with_the_address_of_its_upload(upload: FileUpload) -> None:
    upload_id = upload.send_chunk(HEADER, 0, 2).json()["id"]
    assert upload.client.get(f"{LIST}{upload_id}/").json()["received"] == [[0, 0]]


def test_an_upload_that_a_key_sends_is_by_the_keys_name(upload: FileUpload, owner: Person) -> None:
    client = client_with(f"Api-Key {key_make(owner.tenant, Scope.INGEST, name='depot gateway')}")
    sender = upload.named(client=client, vehicle_id=None)
    sender.send_chunk(HEADER)
    status = told(sender)
    assert (status["by"], status["vehicle_id"], status["fingerprint"]) == ("depot gateway", "", "")


def test_an_upload_whose_sender_is_gone_is_by_its_number(upload: FileUpload) -> None:
    upload.send_chunk(HEADER)
    Upload.objects.update(owner="user:999999")
    assert told(upload)["by"] == "user:999999"


def test_what_is_loaded_says_no_more_what_was_received(upload: FileUpload) -> None:
    upload.load(HEADER + GOOD)
    assert not {"received", "bytes_received", "detail"} & told(upload).keys()


def test_a_failed_upload_says_what_is_here_and_a_chunk_makes_it_receiving_again(upload: FileUpload) -> None:
    upload.send([HEADER, GOOD])
    give_up(upload)
    failed = told(upload)
    assert (failed["status"], failed["received"]) == ("failed", [[0, 1]])
    assert failed["detail"].startswith("Given up.")
    Upload.objects.update(state=UploadState.FAILED)
    upload.send_chunk(GOOD, 1, 2)
    status = told(upload)
    assert status["status"] == "receiving"
    assert "detail" not in status


def test_an_upload_goes_on_after_a_break(upload: FileUpload) -> None:
    content = [HEADER, GOOD, LATER]
    upload.send(content, [0, 2])
    here = {index for first, last in told(upload)["received"] for index in range(first, last + 1)}
    upload.send(content, [index for index in range(3) if index not in here])
    assert counts(upload.finalize(3).json()) == (2, 2, 0, 0)


# -- the fingerprint -------------------------------------------------------------------------------


def test_a_chunk_with_another_fingerprint_begins_the_file_anew(upload: FileUpload) -> None:
    before, after = upload.named(fingerprint="1-1"), upload.named(fingerprint="1-2")
    before.send([b"of an earlier file", GOOD])
    after.send_chunk(HEADER, 0, 2)
    assert chunks_of(upload) == [0]
    after.send_chunk(LATER, 1, 2)
    assert counts(after.finalize(2).json()) == (1, 1, 0, 0)
    assert [row["timestamp"] for row in stored_rows(upload.client)] == ["2024-05-01T12:00:01Z"]


def test_a_chunk_without_a_fingerprint_is_of_the_file_that_is_under_way(upload: FileUpload) -> None:
    upload.send_chunk(HEADER, 0, 3)
    upload.named(fingerprint="1-1").send_chunk(GOOD, 1, 3)
    upload.send_chunk(LATER, 2, 3)
    assert (chunks_of(upload), told(upload)["fingerprint"]) == ([0, 1, 2], "1-1")
    assert counts(upload.finalize(3).json()) == (2, 2, 0, 0)


def test_another_total_without_a_fingerprint_forgets_that_of_the_earlier_file(upload: FileUpload) -> None:
    upload.named(fingerprint="1-1").send_chunk(HEADER, 0, 3)
    upload.send([HEADER, GOOD])
    assert told(upload)["fingerprint"] == ""
    assert counts(upload.named(fingerprint="2-2").finalize(2).json()) == (1, 1, 0, 0)


@pytest.mark.parametrize("respond_async", [False, True], ids=["at once", "in the background"])
def test_finalize_with_another_fingerprint_says_so_whatever_has_become_of_the_file(
    upload: FileUpload, respond_async: bool
) -> None:
    mine, other = upload.named(fingerprint="1-1"), upload.named(fingerprint="2-2")
    mine.send([HEADER + GOOD])
    for finalize in (lambda: None, lambda: mine.finalize(respond_async=respond_async)):
        finalize()
        response = other.finalize()
        assert (response.status_code, list(response.json())) == (400, ["fingerprint"])
        assert "another file of this name" in str(response.json())
    assert mine.finalize().status_code == (202 if respond_async else 200)


@pytest.mark.parametrize("value", ["x" * 101, "a\0b"], ids=["101", "NUL"])
def test_a_fingerprint_that_is_none_is_a_400_that_names_it(upload: FileUpload, value: str) -> None:
    other = upload.named(fingerprint=value)
    for response in (other.send_chunk(HEADER), other.finalize()):
        assert (response.status_code, list(response.json())) == (400, ["fingerprint"])
    assert not Upload.objects.exists()


def test_the_first_chunks_of_another_file_may_come_all_at_once(upload: FileUpload, owner: Person) -> None:
    upload.named(fingerprint="1-1").send([b"old"] * 8)
    together = threading.Barrier(8)

    def send(index: int) -> int:
        try:
            client, content = owner.jwt, HEADER if index == 0 else GOOD.replace(b":00Z", b":%02dZ" % index)
            together.wait(60)
            status: int = upload.named(client=client, fingerprint="1-2").send_chunk(content, index, 8).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send, range(8))) == [200] * 8
    assert counts(upload.finalize(8).json()) == (7, 7, 0, 0)


def between(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], Any], *, before: bool = False) -> None:
    """Let something happen, once, when the next chunk is written: after it lies there, or before."""
    write = ChunkFolder.write

    def meanwhile(self: ChunkFolder, *args: Any, **options: Any) -> None:
        monkeypatch.setattr(ChunkFolder, "write", write)
        if before:
            happen()
        write(self, *args, **options)
        if not before:
            happen()

    monkeypatch.setattr(ChunkFolder, "write", meanwhile)


@pytest.mark.parametrize("before", [False, True], ids=["written before", "written after"])
@pytest.mark.parametrize(("fingerprint", "total"), [("2-2", 2), (None, 3)], ids=["fingerprint", "total"])
def test_a_late_chunk_of_the_old_file_is_not_among_those_of_the_new_one(
    upload: FileUpload, monkeypatch: pytest.MonkeyPatch, before: bool, fingerprint: str | None, total: int
) -> None:
    old, new = upload.named(fingerprint="1-1"), upload.named(fingerprint=fingerprint)
    between(monkeypatch, lambda: new.send_chunk(HEADER, 0, total), before=before)
    assert old.send_chunk(b"old", 1, 2).status_code == 409
    assert chunks_of(upload) == [0]
    assert told(upload)["total_chunks"] == total


def test_a_chunk_whose_folder_goes_while_it_is_written_is_to_be_sent_again(
    upload: FileUpload, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload.send_chunk(HEADER, 0, 2)

    def gone(self: ChunkFolder, *args: Any, **options: Any) -> None:
        self.remove()
        raise FileNotFoundError

    with monkeypatch.context() as patch:
        patch.setattr(ChunkFolder, "write", gone)
        response = upload.send_chunk(GOOD, 1, 2)
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert upload.send_chunk(GOOD, 1, 2).status_code == 200


# -- the list --------------------------------------------------------------------------------------


def listed(client: Any, **query: Any) -> list[dict[str, Any]]:
    response = client.get(LIST, {"page_size": 1000, **query})
    assert response.status_code == 200, response.content
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def names(client: Any, **query: Any) -> list[str]:
    return [one["file_name"] for one in listed(client, **query)]


@pytest.fixture
def four(upload: FileUpload) -> FileUpload:
    """An upload in each state, a day between them, the oldest first."""
    upload.named(file_name="done.csv").load(HEADER + GOOD + BROKEN)
    upload.named(file_name="failed.csv", vehicle_id="VAN-2").send([HEADER])
    Upload.objects.filter(file_name="failed.csv").update(state=UploadState.FAILED)
    running = upload.named(file_name="running.csv")
    running.finalize(running.send([HEADER + LATER]), respond_async=True)
    upload.named(file_name="receiving.csv", vehicle_id=None).send_chunk(HEADER, 0, 2)
    for days, name in enumerate(("receiving", "running", "failed", "done")):
        Upload.objects.filter(file_name=f"{name}.csv").update(created_at=now() - timedelta(days=days))
    return upload


def test_the_list_shows_the_uploads_newest_first_each_as_it_stands(four: FileUpload) -> None:
    found = listed(four.client)
    assert [one["status"] for one in found] == ["receiving", "running", "failed", "done"]
    for one in found:
        alone = four.client.get(f"{LIST}{one['id']}/").json()
        alone.get("report", {}).pop("refused_rows", None)
        assert one == alone
    assert counts(found[-1]["report"]) == (2, 1, 0, 1)
    assert four.client.get(found[-1]["report"]["refused_csv"]).status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "receiving"}, ["receiving"]),
        ({"status": "running"}, ["running"]),
        ({"status": "failed"}, ["failed"]),
        ({"status": "done"}, ["done"]),
        ({"file_name": "done.csv"}, ["done"]),
        ({"file_name": "done"}, []),
        ({"search": "ING.c"}, ["receiving", "running"]),
        ({"search": "van"}, ["failed"]),
        ({"search": "%"}, []),
        ({"mine": "true", "search": "d"}, ["failed", "done"]),
        ({"mine": "false"}, []),
        ({"ordering": "created_at"}, ["done", "failed", "running", "receiving"]),
        ({"ordering": "file_name"}, ["done", "failed", "receiving", "running"]),
        ({"ordering": "-file_name"}, ["running", "receiving", "failed", "done"]),
        ({"status": "", "file_name": "", "search": "", "mine": "", "ordering": "", "tenant": "north"}, None),
    ],
    ids=repr,
)
def test_the_list_is_filtered_and_ordered(four: FileUpload, query: dict[str, str], expected: list[str] | None) -> None:
    usual = ["receiving", "running", "failed", "done"]
    assert names(four.client, **query) == [f"{name}.csv" for name in (usual if expected is None else expected)]


def test_an_upload_whose_load_was_given_up_is_listed_among_the_failed(four: FileUpload) -> None:
    give_up(four.named(file_name="running.csv"))
    assert names(four.client, status="running") == []
    found = listed(four.client, status="failed")
    assert [(one["file_name"], one["status"]) for one in found] == [("running.csv", "failed"), ("failed.csv", "failed")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "loading"),
        ("status", "DONE"),
        ("mine", "perhaps"),
        ("ordering", "size"),
        ("ordering", "--created_at"),
        ("page", "0"),
        ("page_size", "1001"),
        ("tenant", "nowhere"),
        ("tenant", "south"),
        ("search", "a\0b"),
        ("search", "x" * 256),
        ("file_name", "a\0b"),
        ("file_name", "x" * 256),
    ],
)
def test_a_parameter_that_is_none_is_a_400_that_names_it(
    upload: FileUpload, stranger: Person, field: str, value: str
) -> None:
    response = upload.client.get(LIST, {field: value})
    assert (response.status_code, list(response.json())) == (400, [field])


def test_the_list_comes_in_pages(four: FileUpload) -> None:
    first = four.client.get(f"{LIST}?page_size=3&ordering=file_name").json()
    assert (first["count"], first["previous"], len(first["results"])) == (4, None, 3)
    second = four.client.get(first["next"]).json()
    assert [one["file_name"] for one in second["results"]] == ["running.csv"]
    assert second["next"] is None
    assert four.client.get(f"{LIST}?page=2").status_code == 404


def test_a_longer_list_asks_the_database_no_more_often(
    upload: FileUpload, owner: Person, make_person: Callable[..., Person], django_assert_num_queries: Any
) -> None:
    def some(start: int) -> None:
        for number in range(start, start + 3):
            for client in (make_person("manager").jwt, owner.key(Scope.INGEST)):
                one = upload.named(client=client, file_name=f"{number}.csv")
                one.finalize(one.send([HEADER + GOOD + BROKEN]), respond_async=number % 2 == 0)

    some(0)
    # Who asks, how many there are, the page, its runs, the people and the keys who sent them.
    with django_assert_num_queries(6):
        assert len(listed(upload.client)) == 6
    some(3)
    with django_assert_num_queries(6):
        assert len(listed(upload.client)) == 12


def test_who_reads_sees_the_tenants_uploads_and_who_only_sends_its_own(
    upload: FileUpload, owner: Person, colleague: Person, stranger: Person, superuser: Person
) -> None:
    key = owner.key(Scope.INGEST)
    for client, name in ((owner.jwt, "owner.csv"), (key, "key.csv"), (stranger.jwt, "stranger.csv")):
        upload.named(client=client, file_name=name).send_chunk(HEADER)
    everyones = ["key.csv", "owner.csv"]
    for client in (owner.jwt, owner.session, colleague.jwt, owner.key(Scope.READ), owner.key()):
        assert sorted(names(client)) == everyones
    assert names(owner.jwt, mine="true") == ["owner.csv"]
    assert names(owner.jwt, mine="false") == ["key.csv"]
    assert names(colleague.jwt, mine="true") == []
    assert (names(key), names(key, mine="true"), names(key, mine="false")) == (["key.csv"], ["key.csv"], [])
    assert (names(key, search="owner"), names(owner.key(Scope.INGEST))) == ([], [])
    assert names(stranger.jwt) == ["stranger.csv"]
    assert sorted(names(superuser.jwt)) == [*everyones, "stranger.csv"]
    assert names(superuser.jwt, tenant="south") == ["stranger.csv"]
    assert names(client_with(f"Api-Key {key_make(None, Scope.INGEST)}")) == []


# -- discarding ------------------------------------------------------------------------------------


def test_a_discarded_upload_is_gone_with_its_chunks_and_its_name_is_free(upload: FileUpload) -> None:
    upload.send([HEADER, b"wrong"])
    folder, place = actions.folder_of(Upload.objects.get().pk).path, place_of(upload)
    response = upload.client.delete(place)
    assert (response.status_code, response.content) == (204, b"")
    assert not folder.exists()
    assert upload.client.get(place).status_code == upload.client.delete(place).status_code == 404
    assert upload.finalize(2).json()["missing_chunks"] == [0, 1]
    assert counts(upload.load(HEADER + GOOD)) == (1, 1, 0, 0)


@pytest.mark.parametrize("state", ["failed", "given up"])
def test_a_failed_upload_can_be_discarded(upload: FileUpload, state: str) -> None:
    upload.send([HEADER])
    Upload.objects.update(state=UploadState.FAILED)
    if state == "given up":
        give_up(upload)
    assert upload.client.delete(place_of(upload)).status_code == 204
    assert not Upload.objects.exists()


@pytest.mark.parametrize("respond_async", [False, True], ids=["done", "loading"])
def test_what_is_loaded_or_being_loaded_cannot_be_discarded(upload: FileUpload, respond_async: bool) -> None:
    upload.finalize(upload.send([HEADER + GOOD]), respond_async=respond_async)
    assert upload.client.delete(place_of(upload)).status_code == 409
    assert told(upload)["status"] == ("running" if respond_async else "done")


def test_discarding_is_noted_in_the_audit_trail(upload: FileUpload, make_person: Callable[..., Person]) -> None:
    upload.send([HEADER])
    place, manager = place_of(upload), make_person("manager")
    assert manager.jwt.delete(place).status_code == 204
    entry = AuditEntry.objects.get(action="upload_discard")
    assert (entry.actor, entry.tenant) == (f"user:{manager.user.pk}", manager.tenant)
    assert entry.target.endswith("drive.csv")


def test_who_sends_discards_its_own_and_who_manages_the_tenant_any(
    upload: FileUpload, owner: Person, colleague: Person, stranger: Person, make_person: Callable[..., Person]
) -> None:
    sender = upload.named(client=owner.key(Scope.INGEST))
    sender.send([HEADER])
    place = place_of(upload)
    for client in (colleague.jwt, make_person("operator").jwt, owner.key(Scope.READ)):
        assert client.delete(place).status_code == 403
    for client in (stranger.jwt, stranger.key(), owner.key(Scope.INGEST)):
        assert client.delete(place).status_code == 404
    assert chunks_of(upload) == [0]
    for client in (sender.client, owner.session, owner.key(), make_person("manager").jwt):
        sender.send([HEADER])
        assert client.delete(place_of(upload)).status_code == 204


@pytest.mark.parametrize("before", [False, True], ids=["written before", "written after"])
def test_a_chunk_of_an_upload_that_is_discarded_meanwhile_leaves_nothing(
    upload: FileUpload, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    upload.send_chunk(HEADER, 0, 2)
    place, folder = place_of(upload), actions.folder_of(Upload.objects.get().pk).path
    between(monkeypatch, lambda: upload.client.delete(place), before=before)
    response = upload.send_chunk(GOOD, 1, 2)
    assert response.status_code == 409
    assert "discarded" in response.json()["detail"]
    assert not folder.exists()
    assert not Upload.objects.exists()
