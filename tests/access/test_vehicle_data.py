"""Who may do what at the vehicles' endpoints, and whose rows they meet there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from tests.people import Person, client_with, key_make
from tests.support import vehicles
from tests.support.vehicles import LIST, OLD_LIST, REAL_FILE, ask, body_of, post, post_rows, row_of
from wattkeeper.base.accounts.matrix import Scope

pytestmark = pytest.mark.usefixtures("vehicle_store")


@dataclass(frozen=True)
class Theirs:
    """What the owner's tenant has: a row, and an upload of the owner with a refused row."""

    row_id: str
    upload_id: str


@dataclass
class Visit:
    """One caller at one of the two addresses; `query` is put behind every path."""

    client: APIClient
    path: str
    theirs: Theirs
    query: str = ""

    def get(self, place: str = "") -> Any:
        return self.client.get(f"{self.path}{place}{self.query}")

    def get_series(self) -> Any:
        return self.client.get(f"{self.path}series/?vehicle_id=V1&{self.query.lstrip('?')}")

    def send_row(self) -> Any:
        return post(self.client, row_of(59), f"{self.path}{self.query}")

    def send_chunk(self) -> Any:
        chunk = SimpleUploadedFile("blob", vehicles.csv_of([row_of(58)]))
        form = {"file_name": "a.csv", "total_chunks": 1, "chunk_index": 0, "chunk": chunk}
        return self.client.post(f"{self.path}upload_chunk/{self.query}", form, format="multipart")

    def preview(self) -> Any:
        head = SimpleUploadedFile("blob", vehicles.csv_of([row_of(58)]))
        form = {"file_name": "a.csv", "head": head}
        return self.client.post(f"{self.path}preview_upload/{self.query}", form, format="multipart")

    def discard(self) -> Any:
        return self.client.delete(f"{self.path}uploads/{self.theirs.upload_id}/{self.query}")

    def finalize(self) -> Any:
        """Of a file of the caller's own, if they could send its chunk."""
        self.send_chunk()
        name = {"file_name": "a.csv", "total_chunks": 1}
        return self.client.post(f"{self.path}finalize_upload/{self.query}", name, format="json")


ENDPOINTS: dict[str, Callable[[Visit], Any]] = {
    "list": lambda visit: visit.get(),
    "series": lambda visit: visit.get_series(),  # before a caller has posted a vehicle of that name
    "post": lambda visit: visit.send_row(),
    "row": lambda visit: visit.get(f"{visit.theirs.row_id}/"),
    "preview": lambda visit: visit.preview(),
    "chunk": lambda visit: visit.send_chunk(),
    "finalize": lambda visit: visit.finalize(),
    "export": lambda visit: visit.get("export/"),
    "uploads": lambda visit: visit.get("uploads/"),
    "upload": lambda visit: visit.get(f"uploads/{visit.theirs.upload_id}/"),
    "refused": lambda visit: visit.get(f"uploads/{visit.theirs.upload_id}/refused/"),
    "discard": lambda visit: visit.discard(),
}

CALLERS: dict[str, Callable[[Person, Callable[..., Person], Person], APIClient]] = {
    "owner": lambda owner, make, stranger: owner.jwt,
    "owner's session": lambda owner, make, stranger: owner.session,
    "manager": lambda owner, make, stranger: make("manager").jwt,
    "operator": lambda owner, make, stranger: make("operator").jwt,
    "viewer": lambda owner, make, stranger: make("viewer").jwt,
    "stranger": lambda owner, make, stranger: stranger.jwt,
    "stranger's key": lambda owner, make, stranger: stranger.key(),
    "nobody": lambda owner, make, stranger: APIClient(),
    "wrong key": lambda owner, make, stranger: client_with("Api-Key wk_" + "x" * 43),
    "key: read": lambda owner, make, stranger: owner.key(Scope.READ),
    "key: ingest": lambda owner, make, stranger: owner.key(Scope.INGEST),
    "key: admin": lambda owner, make, stranger: owner.key(Scope.ADMIN),
    "key of all: read": lambda owner, make, stranger: key_of_all(Scope.READ),
    "key of all: ingest": lambda owner, make, stranger: key_of_all(Scope.INGEST),
    "key of all: admin": lambda owner, make, stranger: key_of_all(Scope.ADMIN),
}

# Those above tenants say here which one they mean; without that, see below.
# fmt: off
EXPECTED = {
    #                     list series post row  preview chunk finalize export uploads upload refused discard (loaded)
    "owner":              (200, 200, 201, 200, 200,    200,  200,     200,   200,    200,   200,    409),
    "owner's session":    (200, 200, 201, 200, 200,    200,  200,     200,   200,    200,   200,    409),
    "manager":            (200, 200, 201, 200, 200,    200,  200,     200,   200,    200,   200,    409),
    "operator":           (200, 200, 403, 200, 403,    403,  403,     200,   200,    200,   200,    403),
    "viewer":             (200, 200, 403, 200, 403,    403,  403,     200,   200,    200,   200,    403),
    "stranger":           (200, 404, 201, 404, 200,    200,  200,     200,   200,    404,   404,    404),
    "stranger's key":     (200, 404, 201, 404, 200,    200,  200,     200,   200,    404,   404,    404),
    "nobody":             (401, 401, 401, 401, 401,    401,  401,     401,   401,    401,   401,    401),
    "wrong key":          (401, 401, 401, 401, 401,    401,  401,     401,   401,    401,   401,    401),
    "key: read":          (200, 200, 403, 200, 403,    403,  403,     200,   200,    200,   200,    403),
    "key: ingest":        (403, 403, 201, 403, 200,    200,  200,     403,   200,    404,   404,    404),  # not its own
    "key: admin":         (200, 200, 201, 200, 200,    200,  200,     200,   200,    200,   200,    409),
    "key of all: read":   (200, 200, 403, 200, 403,    403,  403,     200,   200,    200,   200,    403),
    "key of all: ingest": (403, 403, 201, 403, 200,    200,  200,     403,   200,    404,   404,    404),
    "key of all: admin":  (200, 200, 201, 200, 200,    200,  200,     200,   200,    200,   200,    409),
}
# fmt: on


def key_of_all(scope: Scope) -> APIClient:
    return client_with(f"Api-Key {key_make(None, scope)}")


@pytest.fixture
def theirs(owner: Person) -> Theirs:
    (row,) = post_rows(owner.jwt, [row_of()])
    content = vehicles.csv_of([row_of(1), row_of(2, soc=101)])
    report = vehicles.upload(owner.jwt, content, file_name="theirs.csv")
    assert report["refused"] == 1
    return Theirs(row["id"], report["id"])


@pytest.mark.parametrize("path", [LIST, OLD_LIST])
@pytest.mark.parametrize("caller", EXPECTED)
def test_each_endpoint_answers_each_caller_as_the_table_says(
    caller: str, path: str, theirs: Theirs, owner: Person, make_person: Callable[..., Person], stranger: Person
) -> None:
    client = CALLERS[caller](owner, make_person, stranger)
    visit = Visit(client, path, theirs, "?tenant=north" if caller.startswith("key of all") else "")
    answers = {name: call(visit).status_code for name, call in ENDPOINTS.items()}
    assert answers == dict(zip(ENDPOINTS, EXPECTED[caller], strict=True))


def test_every_endpoint_of_the_vehicles_is_in_the_table() -> None:
    from wattkeeper.kinds.vehicle.urls import urlpatterns

    # The list and the posting share a path, and so do an upload and its discarding.
    assert len(urlpatterns) == len(ENDPOINTS) - 2


@pytest.mark.parametrize("place", ["", "export/", "upload_chunk/", "finalize_upload/"])
@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nobody_changes_or_deletes_a_row(method: str, place: str, theirs: Theirs, owner: Person) -> None:
    for path in (f"{LIST}{place}", f"{LIST}{theirs.row_id}/"):
        answer = getattr(owner.jwt, method)(path, json.dumps(row_of(soc=1)), content_type="application/json")
        assert answer.status_code == 405
    assert [row["soc"] for row in vehicles.listed(owner.jwt)] == [50, 50]


@pytest.mark.parametrize("door", ["jwt", "session", "key"])
class TestAStranger:
    @pytest.mark.parametrize(
        "query",
        [{}, {"vehicle_id": "V1"}, {"tenant": "south"}, {"tenant": "south", "vehicle_id": "V1"}, {"ordering": "-soc"}],
    )
    def test_sees_no_row_of_another_tenant(
        self, query: dict[str, str], door: str, theirs: Theirs, stranger: Person
    ) -> None:
        assert ask(stranger.by(door), **query).json() == {"count": 0, "next": None, "previous": None, "results": []}
        exported = body_of(ask(stranger.by(door), f"{LIST}export/", **query))
        assert exported.decode().splitlines() == [",".join(vehicles.COLUMNS)]

    @pytest.mark.parametrize("place", ["", "export/"])
    def test_hears_that_another_tenant_is_unknown(
        self, place: str, door: str, theirs: Theirs, stranger: Person
    ) -> None:
        named, invented = (ask(stranger.by(door), f"{LIST}{place}", tenant=slug) for slug in ("north", "nowhere"))
        assert (
            (named.status_code, set(named.json())) == (invented.status_code, set(invented.json())) == (400, {"tenant"})
        )

    def test_sees_their_own_rows_only_though_the_vehicles_have_one_name(
        self, door: str, theirs: Theirs, stranger: Person, owner: Person
    ) -> None:
        post_rows(stranger.by(door), [row_of(0, soc=7)])
        assert [row["soc"] for row in vehicles.listed(stranger.by(door), vehicle_id="V1")] == [7]
        assert [row["soc"] for row in vehicles.listed(owner.jwt, vehicle_id="V1")] == [50, 50]

    def test_hears_the_same_of_a_row_that_is_there_and_of_one_that_is_not(
        self, door: str, theirs: Theirs, stranger: Person
    ) -> None:
        there, not_there = (stranger.by(door).get(f"{LIST}{name}/") for name in (theirs.row_id, "AAAA"))
        assert there.status_code == not_there.status_code == 404
        assert there.content == not_there.content

    def test_writes_nothing_into_another_tenant(
        self, door: str, theirs: Theirs, stranger: Person, owner: Person
    ) -> None:
        visit = Visit(stranger.by(door), LIST, theirs, "?tenant=north")
        for answer in (visit.send_row(), visit.send_chunk(), visit.finalize()):
            assert answer.status_code == 400
            assert set(answer.json()) == {"tenant"}
        assert len(vehicles.listed(owner.jwt)) == 2

    def test_cannot_finalize_anothers_file(self, door: str, stranger: Person, owner: Person) -> None:
        assert Visit(owner.jwt, LIST, Theirs("", "")).send_chunk().status_code == 200
        name = {"file_name": "a.csv", "total_chunks": 1}
        answer = stranger.by(door).post(f"{LIST}finalize_upload/", name, format="json")
        # What anybody is told who has sent nothing under that name.
        assert (answer.status_code, answer.json()["missing_chunks"]) == (400, [0])
        assert vehicles.listed(owner.jwt) == []


class TestWhoStandsAboveTenants:
    def test_sees_the_rows_of_all_tenants_and_those_of_one_that_is_named(self, owner: Person, stranger: Person) -> None:
        mine, others = (post_rows(one.jwt, [row_of(soc=soc)])[0] for one, soc in ((owner, 1), (stranger, 2)))
        key = key_of_all(Scope.READ)
        assert vehicles.listed(key, vehicle_id="V1") == [mine, others]
        assert vehicles.listed(key, vehicle_id="V1", tenant="north") == [mine]
        assert vehicles.listed(key, tenant="south") == [others]
        for row in (mine, others):
            assert key.get(f"{LIST}{row['id']}/").json() == row
        exported = body_of(ask(key, f"{LIST}export/", vehicle_id="V1", export="json"))
        assert [row["soc"] for row in json.loads(exported)] == [1, 2]

    @pytest.mark.parametrize("place", ["", "export/"])
    @pytest.mark.parametrize("slug", ["nowhere", "North", "\0", "é", "x" * 5000, "' OR 1=1"])
    def test_hears_that_a_tenant_is_unknown(self, slug: str, place: str, owner: Person) -> None:
        answer = ask(key_of_all(Scope.READ), f"{LIST}{place}", tenant=slug)
        assert answer.status_code == 400
        assert set(answer.json()) == {"tenant"}

    def test_says_in_which_tenant_they_write(self, owner: Person, stranger: Person) -> None:
        visit = Visit(key_of_all(Scope.ADMIN), LIST, Theirs("", ""))
        for answer in (visit.send_row(), visit.send_chunk(), visit.finalize()):
            assert answer.status_code == 400
            assert set(answer.json()) == {"tenant"}
        visit.query = "?tenant=south"
        assert visit.send_row().status_code == 201
        assert visit.finalize().status_code == 200
        assert len(vehicles.listed(stranger.jwt)) == 2
        assert vehicles.listed(owner.jwt) == []

    def test_a_superuser_does_so_as_well(self, owner: Person, stranger: Person, superuser: Person) -> None:
        vehicles.upload(owner.jwt, REAL_FILE.read_bytes(), vehicle_id="V1")
        found = ask(superuser.jwt, tenant="north").json()
        assert found["count"] == len(vehicles.real_rows())
        assert ask(superuser.jwt, tenant="south").json()["count"] == 0


def test_an_ingest_key_follows_its_own_upload_and_no_other(theirs: Theirs, owner: Person) -> None:
    key = owner.key(Scope.INGEST)
    report = vehicles.upload(key, vehicles.csv_of([row_of(3), row_of(4, soc=-1)]), file_name="own.csv")
    for place, status in ((report["id"], 200), (theirs.upload_id, 404)):
        for path in (f"{LIST}uploads/{place}/", f"{LIST}uploads/{place}/refused/"):
            assert key.get(path).status_code == status
            assert owner.key(Scope.INGEST).get(path).status_code == 404
