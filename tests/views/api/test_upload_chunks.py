"""How a file comes: chunks in any order, finalize again and again, and whose upload it is."""

from __future__ import annotations

import json
import os
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from tests.people import Person
from tests.support.uploads import (
    GOOD,
    HEADER,
    LATER,
    PATH,
    FileUpload,
    counts,
    moment,
    pieces,
    stored_rows,
)
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.core.clock import now
from wattkeeper.base.jobs.models import Run, RunState
from wattkeeper.config.jobs import EmbeddedConsumer
from wattkeeper.flow.ingest import ingest_file
from wattkeeper.flow.readings import reasons
from wattkeeper.flow.sources.csv_upload import actions
from wattkeeper.flow.sources.csv_upload.chunks import MAX_CHUNK_BYTES, ChunkFolder
from wattkeeper.flow.sources.csv_upload.models import Upload, UploadState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("embedded_store", "own_queue")]

FILE = HEADER + b"".join(f"{moment(n)},{n},50,5,10,D\n".encode() for n in range(20))
CHUNKS = pieces(FILE, len(FILE) // 6)
Connect = Callable[..., None]


@pytest.fixture
def consumer(own_queue: None) -> Iterator[EmbeddedConsumer]:
    """The server's own consumer of background jobs, not started."""
    made = EmbeddedConsumer(stop_seconds=60)
    yield made
    made.stop()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Connects the uploads with other limits, or another `ingest`, as `config` would at a start."""
    usual = actions._connected
    assert usual is not None
    monkeypatch.setattr(actions, "_connected", usual)  # put back in the end

    def _connect(ingest: actions.IngestFile = usual.ingest, **limits: Any) -> None:
        actions.connect(ingest, replace(usual.limits, **limits))

    return _connect


def only_upload() -> Upload:
    return Upload.objects.get()


def chunk_files(upload: Upload) -> list[str]:
    folder = actions.folder_of(upload.pk).path
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of `work(0)`, `work(1)`, ... done at the same moment."""
    together = threading.Barrier(count)

    def one(number: int) -> Any:
        try:
            together.wait(60)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_received_chunk_is_acknowledged(upload: FileUpload) -> None:
    response = upload.send_chunk(b"x", 1, 3)
    assert response.status_code == 200
    assert response.json() == {
        "status": "chunk received",
        "id": str(only_upload().pk),
        "chunk_index": 1,
        "total_chunks": 3,
    }


@pytest.mark.parametrize(
    "order",
    [range(len(CHUNKS)), range(len(CHUNKS) - 1, -1, -1), random.Random(7).sample(range(len(CHUNKS)), len(CHUNKS))],
    ids=["forwards", "backwards", "mixed"],
)
def test_chunks_may_come_in_any_order(upload: FileUpload, order: Any) -> None:
    report = upload.finalize(upload.send(CHUNKS, order)).json()
    assert counts(report) == (20, 20, 0, 0)
    assert [row["odometer"] for row in stored_rows(upload.client)] == list(range(20))


def test_chunks_may_come_all_at_once(upload: FileUpload, owner: Person) -> None:
    def send(index: int) -> int:
        status: int = upload.named(client=owner.jwt).send_chunk(CHUNKS[index], index, len(CHUNKS)).status_code
        return status

    assert in_threads(len(CHUNKS), send) == [200] * len(CHUNKS)
    assert counts(upload.finalize(len(CHUNKS)).json()) == (20, 20, 0, 0)


def test_the_same_chunk_sent_twice_is_one_chunk(upload: FileUpload) -> None:
    total = upload.send(CHUNKS)
    upload.send(CHUNKS, [2, 0, 2])
    assert len(chunk_files(only_upload())) == total
    assert counts(upload.finalize(total).json()) == (20, 20, 0, 0)


def test_chunks_of_the_largest_size_are_taken_and_larger_ones_are_not(upload: FileUpload) -> None:
    assert upload.send_chunk(b"\n" * MAX_CHUNK_BYTES).status_code == 200
    response = upload.send_chunk(b"\n" * (MAX_CHUNK_BYTES + 1))
    assert response.status_code == 413
    assert "16 MiB" in response.json()["detail"]
    assert chunk_files(only_upload()) == ["00000000"]


def test_a_chunk_of_another_total_begins_the_file_anew(upload: FileUpload) -> None:
    upload.send_chunk(b"of an earlier file", 2, 3)
    upload.send([HEADER, GOOD])
    assert counts(upload.finalize(2).json()) == (1, 1, 0, 0)


def test_two_vehicles_files_of_one_name_do_not_mix(upload: FileUpload) -> None:
    other = upload.named(vehicle_id="V2")
    for index, (mine, others) in enumerate([(HEADER, HEADER), (GOOD, LATER), (b"", LATER.replace(b":01", b":02"))]):
        assert upload.send_chunk(mine, index, 3).status_code == 200
        assert other.send_chunk(others, index, 3).status_code == 200
    assert counts(upload.finalize(3).json()) == (1, 1, 0, 0)
    assert counts(other.finalize(3).json()) == (2, 2, 0, 0)
    assert len(stored_rows(upload.client, vehicle_id="V2")) == 2


def test_two_senders_files_of_one_name_do_not_mix(upload: FileUpload, owner: Person, make_person: Any) -> None:
    # A person, a colleague and a key of theirs: each is a sender of their own.
    senders = [upload, upload.named(client=make_person("manager").jwt), upload.named(client=owner.key(Scope.INGEST))]
    for index, sender in enumerate(senders):
        assert sender.send_chunk(HEADER if index == 0 else GOOD, 0 if index == 0 else 1, 2).status_code == 200
    for index, sender in enumerate(senders):
        response = sender.finalize(2)
        assert response.status_code == 400
        assert response.json()["missing_chunks"] == ([1] if index == 0 else [0])
    assert stored_rows(upload.client) == []


def test_two_doors_of_one_person_are_one_sender(upload: FileUpload, owner: Person) -> None:
    upload.send_chunk(HEADER, 0, 2)
    upload.named(client=owner.session).send_chunk(GOOD, 1, 2)
    assert counts(upload.finalize(2).json()) == (1, 1, 0, 0)


def test_who_may_not_send_readings_may_not_send_files(upload: FileUpload, colleague: Person) -> None:
    viewer = upload.named(client=colleague.jwt)
    assert viewer.send_chunk(FILE).status_code == 403
    assert viewer.finalize().status_code == 403
    assert not Upload.objects.exists()


# -- names and numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../../{}",
        "/tmp/{}",
        "..\\..\\{}",
        "{}/../../..",
        "{}.csv; rm -rf ~",
        "%2e%2e%2f{}",
        "ünï-車-🚗-{}",
        "." * 200 + "{}",
    ],
    ids=["dots", "absolute", "backslashes", "tail", "shell", "escaped", "unicode", "many dots"],
)
def test_a_file_name_is_never_a_path(upload: FileUpload, name: str) -> None:
    marker = secrets.token_hex(8)
    named = upload.named(file_name=name.format(marker))
    named.send(CHUNKS)
    folder = actions.folder_of(only_upload().pk)
    assert chunk_files(only_upload()) == [f"{index:08d}" for index in range(len(CHUNKS))]
    report = named.finalize(len(CHUNKS)).json()
    assert counts(report) == (20, 20, 0, 0)
    assert report["file_name"] == named.file_name
    places = [folder.root.parent, *folder.root.parents, Path("/tmp"), Path.cwd()]
    assert not [found for place in places for found in place.glob(f"*{marker}*")]
    # Not `rglob`, which fails where the engine removes what it no longer needs.
    assert not [name for _, folders, files in os.walk(folder.root.parent) for name in folders + files if marker in name]


@pytest.mark.parametrize("field", ["file_name", "vehicle_id"])
@pytest.mark.parametrize("value", ["a\0b", "x" * 256, "\ud800", 7, ["a"], {"a": 1}], ids=repr)
def test_a_name_that_is_none_is_a_400_that_says_which(upload: FileUpload, field: str, value: Any) -> None:
    form = {**upload.form(total_chunks=1), field: value}
    # Written here: REST framework's own writer refuses what a JSON escape can say.
    response = upload.client.post(f"{PATH}finalize_upload/", json.dumps(form), content_type="application/json")
    assert response.status_code == 400
    assert list(response.json()) == [field]


@pytest.mark.parametrize("name", ["a\0b", "x" * 256, "x" * 100_000, " "], ids=["NUL", "256", "100000", "blank"])
def test_no_chunk_is_kept_under_a_name_that_is_none(upload: FileUpload, name: str) -> None:
    response = upload.named(file_name=name).send_chunk(FILE)
    assert response.status_code == 400
    assert list(response.json()) == ["file_name"]
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("index", "total", "field"),
    [
        (-1, 2, "chunk_index"),
        (2, 2, "chunk_index"),
        (10**12, 2, "chunk_index"),
        (10**40, 2, "chunk_index"),
        ("abc", 2, "chunk_index"),
        ("1.0", 2, "chunk_index"),
        ("0x1", 2, "chunk_index"),
        ("٣", 2, "chunk_index"),
        ("", 2, "chunk_index"),
        (0, 0, "total_chunks"),
        (0, -1, "total_chunks"),
        (0, 10**12, "total_chunks"),
        (0, actions.MAX_CHUNKS + 1, "total_chunks"),
        (0, "abc", "total_chunks"),
        (0, "", "total_chunks"),
    ],
)
def test_a_wrong_number_is_a_400_that_names_its_field(upload: FileUpload, index: Any, total: Any, field: str) -> None:
    response = upload.send_chunk(FILE, index, total)
    assert response.status_code == 400
    assert list(response.json()) == [field]
    assert not Upload.objects.exists()


@pytest.mark.parametrize("field", ["chunk", "file_name", "chunk_index", "total_chunks"])
def test_a_missing_field_of_a_chunk_is_named(upload: FileUpload, field: str) -> None:
    form = upload.form(chunk=SimpleUploadedFile("blob", FILE), chunk_index=0, total_chunks=1)
    del form[field]
    response = upload.client.post(f"{PATH}upload_chunk/", form, format="multipart")
    assert response.status_code == 400
    assert list(response.json()) == [field]


@pytest.mark.parametrize("total", [0, -1, 3, 10**12, 10**40, "abc", "", None, True, 1.5, [2]], ids=repr)
def test_finalize_with_a_wrong_total_is_a_400_and_keeps_the_chunks(upload: FileUpload, total: Any) -> None:
    upload.send(pieces(FILE, len(FILE) // 2 + 1))
    response = upload.finalize(total)
    assert response.status_code == 400
    assert list(response.json()) == ["total_chunks"]
    assert counts(upload.finalize(2).json()) == (20, 20, 0, 0)


def test_finalize_without_a_file_name_says_so(upload: FileUpload) -> None:
    response = upload.client.post(f"{PATH}finalize_upload/", {"total_chunks": 1}, format="json")
    assert response.status_code == 400
    assert list(response.json()) == ["file_name"]


@pytest.mark.parametrize("body", [[], "text", None, 3, [{"file_name": "x"}]], ids=repr)
def test_finalize_with_a_body_of_another_shape_is_a_400(upload: FileUpload, body: Any) -> None:
    assert upload.client.post(f"{PATH}finalize_upload/", body, format="json").status_code == 400


def test_finalize_understands_a_form_too(upload: FileUpload) -> None:
    total = upload.send(CHUNKS)
    response = upload.client.post(f"{PATH}finalize_upload/", upload.form(total_chunks=total), format="multipart")
    assert counts(response.json()) == (20, 20, 0, 0)


def test_the_older_address_takes_the_same_upload(upload: FileUpload) -> None:
    total = upload.send(CHUNKS)
    response = upload.client.post("/vehicle_data/finalize_upload/", upload.form(total_chunks=total), format="json")
    assert response["Location"].startswith("/vehicle_data/")
    assert upload.client.get(response["Location"]).json()["report"] == response.json()


# -- finalize --------------------------------------------------------------------------------------


def test_missing_chunks_are_named_and_can_be_sent_then(upload: FileUpload) -> None:
    upload.send(CHUNKS, [0, 2, 5])
    response = upload.finalize(len(CHUNKS))
    missing = [index for index in range(len(CHUNKS)) if index not in (0, 2, 5)]
    assert response.status_code == 400
    assert response.json()["missing_chunks"] == missing
    assert ", ".join(map(str, missing)) in response.json()["detail"]
    upload.send(CHUNKS, missing)
    assert counts(upload.finalize(len(CHUNKS)).json()) == (20, 20, 0, 0)


def test_very_many_missing_chunks_are_named_in_a_short_answer(upload: FileUpload) -> None:
    upload.send_chunk(FILE, 0, actions.MAX_CHUNKS)
    response = upload.finalize(actions.MAX_CHUNKS)
    assert response.status_code == 400
    assert response.json()["missing_chunks"] == list(range(1, 101))
    assert f"{actions.MAX_CHUNKS - 101} more" in response.json()["detail"]


def test_of_an_upload_of_which_nothing_has_come_all_chunks_are_missing(upload: FileUpload) -> None:
    response = upload.finalize(3)
    assert response.status_code == 400
    assert response.json()["detail"] == "Chunks are missing: 0, 1, 2."


def test_a_small_file_is_answered_with_its_report_and_its_chunks_are_gone(upload: FileUpload) -> None:
    response = upload.finalize(upload.send(CHUNKS))
    assert response.status_code == 200
    assert response.json()["status"] == "done"
    assert not actions.folder_of(only_upload().pk).path.exists()


def test_finalize_again_gives_the_same_report_and_stores_nothing_more(upload: FileUpload) -> None:
    total = upload.send([FILE + b"broken\n" + GOOD])
    first, again = upload.finalize(total), upload.finalize(total)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert counts(again.json()) == (22, 20, 1, 1)
    assert len(stored_rows(upload.client)) == 20


def test_two_finalizes_at_once_store_the_file_once(
    upload: FileUpload, owner: Person, consumer: EmbeddedConsumer
) -> None:
    total = upload.send(CHUNKS)
    answers = in_threads(2, lambda _: upload.named(client=owner.jwt).finalize(total))
    assert {answer.status_code for answer in answers} <= {200, 202}
    consumer.start()
    reports = [a.json() if a.status_code == 200 else upload.follow(a)["report"] for a in answers]
    assert reports[0] == reports[1]
    assert counts(reports[0]) == (20, 20, 0, 0)
    assert len(stored_rows(upload.client)) == 20


def test_the_same_file_again_is_all_duplicates(upload: FileUpload) -> None:
    first, again = upload.load(FILE), upload.load(FILE)
    assert counts(first) == (20, 20, 0, 0)
    assert counts(again) == (20, 0, 20, 0)
    ids = [row["id"] for row in stored_rows(upload.client)]
    assert counts(upload.named(file_name="renamed.csv").load(FILE)) == (20, 0, 20, 0)
    assert [row["id"] for row in stored_rows(upload.client)] == ids


# -- in the background -----------------------------------------------------------------------------


def test_a_sender_may_ask_for_the_answer_at_once_and_look_for_the_report(
    upload: FileUpload, consumer: EmbeddedConsumer
) -> None:
    accepted = upload.finalize(upload.send([FILE + b"broken\n"]), respond_async=True)
    assert accepted.status_code == 202
    waiting = upload.client.get(accepted["Location"]).json()
    assert waiting == accepted.json()
    assert waiting["status"] == "running"
    assert set(waiting["progress"]) == {"done", "total", "text"}
    assert "report" not in waiting

    consumer.start()
    told = upload.follow(accepted)
    assert told["status"] == "done"
    assert told["progress"]["done"] == told["progress"]["total"] == len(FILE + b"broken\n")
    assert counts(told["report"]) == (21, 20, 0, 1)
    assert upload.finalize().json() == told["report"]
    assert chunk_files(only_upload()) == []


def test_a_large_file_is_loaded_in_the_background(
    upload: FileUpload, consumer: EmbeddedConsumer, connect: Connect
) -> None:
    connect(inline_bytes=len(FILE) - 1)
    accepted = upload.finalize(upload.send(CHUNKS))
    assert accepted.status_code == 202
    consumer.start()
    assert counts(upload.follow(accepted)["report"]) == (20, 20, 0, 0)


def test_finalize_again_before_the_load_gives_the_same_place(upload: FileUpload, consumer: EmbeddedConsumer) -> None:
    total = upload.send(CHUNKS)
    first, again = (upload.finalize(total, respond_async=True) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first["Location"] == again["Location"]
    consumer.start()
    assert counts(upload.follow(again)["report"]) == (20, 20, 0, 0)
    assert len(stored_rows(upload.client)) == 20


def test_a_chunk_of_a_file_that_is_being_loaded_is_a_conflict(upload: FileUpload) -> None:
    upload.finalize(upload.send(CHUNKS), respond_async=True)
    assert upload.send_chunk(b"other", 0, len(CHUNKS)).status_code == 409


def test_what_cannot_be_loaded_at_all_is_said_at_once_also_in_the_background(upload: FileUpload) -> None:
    upload.send([b"a,b\n1,2\n"])
    assert upload.finalize(respond_async=True).status_code == 400


def test_only_its_tenant_sees_what_became_of_an_upload(
    upload: FileUpload, colleague: Person, stranger: Person, owner: Person, superuser: Person
) -> None:
    place = upload.finalize(upload.send([HEADER + b"broken\n"]))["Location"]
    for path in (place, f"{place}refused/"):
        assert upload.client.get(path).status_code == 200
        assert colleague.jwt.get(path).status_code == 200
        assert superuser.jwt.get(path).status_code == 200
        for other in (stranger.jwt, stranger.key(), owner.key(Scope.INGEST)):
            response = other.get(path)
            assert response.status_code == 404
            assert "broken" not in response.content.decode()


def test_a_key_that_only_sends_sees_what_became_of_its_own_upload(upload: FileUpload, owner: Person) -> None:
    sender = upload.named(client=owner.key(Scope.INGEST))
    place = sender.finalize(sender.send(CHUNKS))["Location"]
    assert sender.client.get(place).json()["status"] == "done"
    assert sender.client.get(f"{place}refused/").status_code == 200


def test_an_upload_that_does_not_exist_is_not_found(upload: FileUpload) -> None:
    assert upload.client.get(f"{PATH}uploads/00000000-0000-4000-8000-000000000000/").status_code == 404
    assert upload.client.get(f"{PATH}uploads/1/").status_code == 404


# -- failures --------------------------------------------------------------------------------------


def test_a_refused_header_keeps_the_chunks_and_one_of_them_can_be_put_right(upload: FileUpload) -> None:
    total = upload.send([HEADER.replace(b"soc", b"sock"), GOOD])
    assert upload.finalize(total).status_code == 400
    assert len(chunk_files(only_upload())) == 2
    assert upload.send_chunk(HEADER, 0, 2).status_code == 200
    assert counts(upload.finalize(total).json()) == (1, 1, 0, 0)


def test_a_load_that_finds_the_disk_full_keeps_the_chunks_and_can_be_sent_again(
    upload: FileUpload, connect: Connect
) -> None:
    total = upload.send(CHUNKS)
    connect(reserve_bytes=1 << 60)
    failed = upload.finalize(total)
    assert failed.status_code == 503
    assert "disk is full" in failed.json()["detail"]
    assert len(chunk_files(only_upload())) == total

    connect()
    assert counts(upload.finalize(total).json()) == (20, 20, 0, 0)
    assert chunk_files(only_upload()) == []


def test_a_chunk_that_finds_the_disk_full_is_a_507_and_can_be_sent_again(upload: FileUpload, connect: Connect) -> None:
    connect(reserve_bytes=1 << 60)
    assert upload.send_chunk(FILE).status_code == 507
    connect()
    assert counts(upload.load(FILE)) == (20, 20, 0, 0)


@pytest.mark.parametrize("respond_async", [False, True], ids=["at once", "in the background"])
def test_a_load_that_failed_after_its_rows_were_stored_stores_them_once(
    upload: FileUpload, connect: Connect, consumer: EmbeddedConsumer, respond_async: bool
) -> None:
    def ingest_and_fail(*args: Any, **options: Any) -> Any:
        ingest_file(*args, **options)
        raise RuntimeError("secret detail")

    connect(ingest_and_fail)
    consumer.start()
    total = upload.send(CHUNKS)
    failed = upload.finalize(total, respond_async=respond_async)
    if respond_async:
        told = upload.follow(failed)
        assert told["status"] == "failed"
    else:
        told = failed.json()
        assert failed.status_code == 503
    assert "secret" not in str(told)
    assert len(chunk_files(only_upload())) == total

    connect()
    assert counts(upload.finalize(total).json()) == (20, 20, 0, 0)
    assert len(stored_rows(upload.client)) == 20


def test_a_server_that_died_between_finalize_and_its_run_leaves_an_upload_that_can_be_finalized(
    upload: FileUpload,
) -> None:
    total = upload.send(CHUNKS)
    Upload.objects.update(state=UploadState.LOADING)  # claimed, and no run was asked for
    assert counts(upload.finalize(total).json()) == (20, 20, 0, 0)


def test_a_file_larger_than_allowed_is_a_413(upload: FileUpload, connect: Connect) -> None:
    connect(max_bytes=len(FILE) - 1)
    assert upload.finalize(upload.send(CHUNKS)).status_code == 413
    assert stored_rows(upload.client) == []


def test_abandoned_uploads_expire_with_their_chunks_and_others_stay(upload: FileUpload) -> None:
    kept = ["fresh", "loading", "done"]
    for name in ("abandoned", "failed", "claimed", "given up", *kept):
        upload.named(file_name=name).send([FILE])
    upload.named(file_name="done").finalize()
    uploads = {one.file_name: one for one in Upload.objects.all()}
    Upload.objects.filter(file_name="failed").update(state=UploadState.FAILED)
    Upload.objects.filter(file_name="claimed").update(state=UploadState.LOADING)  # and then the server died
    for name, state in (("loading", RunState.RUNNING), ("given up", RunState.FAILED)):
        run = Run.objects.create(name=actions.LOAD_JOB, key=name, owner="test", state=state)
        Upload.objects.filter(file_name=name).update(state=UploadState.LOADING, run_id=run.pk)
    assert actions._connected is not None
    long_ago = now() - actions._connected.limits.expire_after - timedelta(seconds=1)
    Upload.objects.exclude(file_name="fresh").update(touched_at=long_ago)

    actions.uploads_expire()

    assert set(Upload.objects.values_list("file_name", flat=True)) == set(kept)
    with_chunks = [name for name, one in uploads.items() if actions.folder_of(one.pk).path.exists()]
    assert sorted(with_chunks) == ["fresh", "loading"]


def test_chunks_whose_upload_is_gone_go_too_when_they_are_old(upload: FileUpload) -> None:
    upload.send([FILE])
    folder = actions.folder_of(only_upload().pk)
    Upload.objects.all().delete()  # in the admin
    actions.uploads_expire()
    assert folder.path.exists()
    os.utime(folder.path, (0, 0))
    actions.uploads_expire()
    assert not folder.path.exists()


@pytest.mark.parametrize("state", [UploadState.LOADING, UploadState.DONE])
def test_a_chunk_that_comes_while_its_upload_is_finished_changes_nothing_of_it(
    upload: FileUpload, state: UploadState, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = upload.send(CHUNKS)
    write = ChunkFolder.write

    def meanwhile(self: ChunkFolder, *args: Any, **options: Any) -> None:
        write(self, *args, **options)
        Upload.objects.update(state=state)

    monkeypatch.setattr(ChunkFolder, "write", meanwhile)
    response = upload.send_chunk(CHUNKS[0], 0, total)
    assert response.status_code == 409
    assert only_upload().state == state
    assert actions.folder_of(only_upload().pk).path.exists() == (state == UploadState.LOADING)


def test_a_chunk_keeps_an_upload_from_expiring(upload: FileUpload) -> None:
    upload.send(CHUNKS, [0])
    Upload.objects.update(touched_at=now() - timedelta(days=365))
    upload.send(CHUNKS, [1])
    actions.uploads_expire()
    assert len(chunk_files(only_upload())) == 2


# -- large -----------------------------------------------------------------------------------------

HUGE_CHUNKS = 12  # of the largest size: 192 MiB


def send_huge(upload: FileUpload, first: bytes, last: bytes) -> int:
    """A file with a line of nearly 200 MB; only one chunk of it is in memory at a time."""
    total = HUGE_CHUNKS + 2
    filler = b"D" * MAX_CHUNK_BYTES
    for index in range(total):
        content = first if index == 0 else last if index == total - 1 else filler
        assert upload.send_chunk(content, index, total).status_code == 200
    return total


def test_a_line_of_200_megabytes_is_a_refused_row(upload: FileUpload, consumer: EmbeddedConsumer) -> None:
    total = send_huge(upload, HEADER + GOOD, b"\n" + LATER)
    consumer.start()
    report = upload.follow(upload.finalize(total))["report"]
    assert counts(report) == (3, 2, 0, 1)
    assert report["refused_rows"] == [{"row": 3, "column": "", "value": "", "reason": reasons.LINE_TOO_LONG}]


def test_200_megabytes_without_a_line_break_are_no_csv_file(upload: FileUpload) -> None:
    response = upload.finalize(send_huge(upload, b"timestamp", b"D"))
    assert response.status_code == 400
    assert "no line break" in response.json()["detail"]
