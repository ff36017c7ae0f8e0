"""People, assets, uploads and runs in PostgreSQL: by one URL, without another word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers import command, serving

pytestmark = pytest.mark.needs("postgres")

FILE = b"vehicle_id,timestamp,odometer,soc,elevation\nV1,2025-01-01T00:00:00Z,1,50,3\nV2,2025-01-01T00:00:00Z,1,51,3\n"


def test_a_server_on_postgresql_takes_a_file_and_gives_its_rows(tmp_path: Path, database_url: str) -> None:
    home = tmp_path / "home"
    command("migrate", "--verbosity", 0, home=home, DATABASE_URL=database_url).check_returncode()
    key = command("key", "add", "first", "--scope", "admin", home=home, DATABASE_URL=database_url).stdout.strip()
    (tmp_path / "fleet.csv").write_bytes(FILE)
    with serving(home, key=key, DATABASE_URL=database_url) as server:
        where = ("--kind", "vehicle", "--server", server.url, "--key", key)
        for told in ("2 stored, 0 duplicates", "0 stored, 2 duplicates"):
            imported = command("import", tmp_path / "fleet.csv", *where, home=tmp_path)
            assert told in imported.stdout, imported.stderr
        with server.client() as client:
            assert [row["soc"] for row in client.get("").json()["results"]] == [50, 51]
            assert client.get("", params={"vehicle_id": "V1\0"}).json()["count"] == 0
        assert server.stop() == 0
    assert not (home / "wattkeeper.sqlite3").exists()
