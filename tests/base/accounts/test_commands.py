from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.people import PASSWORD
from wattkeeper.base.accounts.keys import key_caller
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User


@pytest.fixture
def run(db: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """run("key add gw --scope read", stdin=""): (stdout, stderr)."""

    def command(line: str, stdin: str = "") -> tuple[str, str]:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with django_capture_on_commit_callbacks(execute=True):
            call_command(*line.split(), stdout=out, stderr=err, no_color=True)
        return out.getvalue(), err.getvalue()

    return command


def test_a_person_is_added_and_may_log_in(run: Any) -> None:
    run("user add anna --role manager --email a@example.com --password-stdin", f"{PASSWORD}\nmore\n")
    user = User.objects.get()
    assert (user.username, user.role, user.email) == ("anna", "manager", "a@example.com")
    assert user.tenant == Tenant.objects.get(slug="default")
    assert user.check_password(PASSWORD)
    assert set(AuditEntry.objects.values_list("actor", flat=True)) == {"command line"}


def test_a_tenant_that_is_missing_is_made_once_and_said(run: Any) -> None:
    _, said = run("user add anna --role viewer --tenant north --password-stdin", PASSWORD)
    assert "Made the tenant 'north'." in said
    _, said = run("user add bert --role viewer --tenant north --password-stdin", PASSWORD)
    assert said == ""
    assert Tenant.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "stdin", "sentence"),
    [
        ("user add anna --role viewer --password-stdin", "", "empty"),
        ("user add anna --role viewer --password-stdin", "12345", "password: .*too short"),
        ("user add anna --role viewer", PASSWORD, "--password-stdin"),
        ("user add an/na --role viewer --password-stdin", PASSWORD, "username: "),
        ("user add anna --role viewer --email x --password-stdin", PASSWORD, "email: "),
        ("user add anna --role viewer --tenant a/b --password-stdin", PASSWORD, "slug: "),
        ("user add anna --role king --password-stdin", PASSWORD, "invalid choice"),
        ("user add", PASSWORD, "required"),
        ("user", PASSWORD, "required"),
        ("key add gw", "", "--scope"),
        ("key add gw --scope all", "", "invalid choice"),
        ("key add gw --scope read --tenant a --all-tenants", "", "not allowed with"),
        ("key add gw --scope read --tenant a/b", "", "slug: "),
        ("key revoke gw", "", "no key 'gw'"),
        ("key list --tenant nowhere", "", "no tenant 'nowhere'"),
    ],
)
def test_wrong_input_is_a_sentence_and_leaves_nothing_behind(run: Any, line: str, stdin: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(line, stdin)
    assert not Tenant.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_key_stands_alone_on_stdout(run: Any) -> None:
    out, _ = run("key add gw --scope ingest")
    secret = out.removesuffix("\n")
    caller = key_caller(secret)
    assert caller is not None
    assert (caller.name, caller.scope) == ("gw", Scope.INGEST)
    assert caller.tenant_id == Tenant.objects.get(slug="default").pk


def test_a_key_for_all_tenants_needs_none(run: Any) -> None:
    out, said = run("key add sync --scope admin --all-tenants")
    caller = key_caller(out.strip())
    assert caller is not None
    assert caller.above_tenants
    assert said == ""
    assert not Tenant.objects.exists()


def test_a_second_key_of_the_name_is_refused(run: Any) -> None:
    run("key add gw --scope read")
    with pytest.raises(CommandError, match="exists in this tenant"):
        run("key add gw --scope read")


def test_the_list_shows_every_key_and_no_secret(run: Any) -> None:
    first, _ = run("key add gw --scope ingest --tenant north")
    second, _ = run("key add sync --scope admin --all-tenants")
    run("key revoke gw")
    shown, _ = run("key list")
    assert "(all tenants)" in shown
    assert "revoked" in shown
    assert first.strip() not in shown
    assert second.strip() not in shown
    assert "sync" not in run("key list --tenant north")[0]


def test_a_revoked_key_opens_nothing(run: Any) -> None:
    secret = run("key add gw --scope ingest")[0].strip()
    assert key_caller(secret)
    run("key revoke gw")
    assert key_caller(secret) is None
    with pytest.raises(CommandError, match="revoked already"):
        run("key revoke gw")


def test_a_name_in_several_tenants_asks_which(run: Any) -> None:
    run("key add gw --scope read --tenant north")
    run("key add gw --scope read --tenant south")
    with pytest.raises(CommandError, match="--tenant"):
        run("key revoke gw")
    run("key revoke gw --tenant south")
    assert ApiKey.objects.get(revoked_at=None).tenant.slug == "north"


@pytest.mark.parametrize("arguments", [["key", "list"], ["key", "add", "a", "--scope", "read"]])
def test_a_home_that_was_never_migrated_says_what_to_do(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from wattkeeper.config.cli import main; main()", *arguments],
        env={"WATTKEEPER_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert "wattkeeper migrate" in done.stderr
    assert "Traceback" not in done.stderr
