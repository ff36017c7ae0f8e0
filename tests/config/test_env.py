"""The settings: what each variable means, what a wrong one is told, and the key that is made once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.support.servers import command
from wattkeeper.config.env import Env, Environment, load

REPOSITORY = Path(__file__).parents[2]
LONG_KEY = "k" * 32
PASSWORD = "hunter-2-hunter-2"


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing is set, and the folder we are in has no `.env`."""
    for name in Env.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_with(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Env:
    """The settings afresh: the program itself reads them once."""
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    return load.__wrapped__()


MEANINGS = [
    ("DJANGO_ENV", "local", "django_env", Environment.LOCAL),
    ("DEBUG", "true", "debug", True),
    ("DEBUG", "0", "debug", False),
    ("SECRET_KEY", LONG_KEY, "secret_key", LONG_KEY),
    ("ALLOWED_HOSTS", "a.example, b.example,", "allowed_hosts", ["a.example", "b.example"]),
    ("CSRF_TRUSTED_ORIGINS", "https://a.example", "csrf_trusted_origins", ["https://a.example"]),
    ("PUBLIC_URL", "https://a.example", "public_url", "https://a.example"),
    ("DATABASE_URL", "sqlite:////srv/a.sqlite3", "database_url", "sqlite:////srv/a.sqlite3"),
    ("READINGS_URL", "https://h:8443/db", "readings_dsn", "https://h:8443/db"),
    ("READINGS_URL", "https://h:8443/db", "readings_are_embedded", False),
    ("REDIS_URL", "rediss://u:p%40@h:6380/1", "redis_url", "rediss://u:p%40@h:6380/1"),
    ("READINGS_MAX_MEMORY_MB", "256", "readings_max_memory_mb", 256),
    ("READINGS_MAX_THREADS", "3", "readings_max_threads", 3),
    ("UPLOAD_MAX_MB", "1", "upload_max_mb", 1),
    ("UPLOAD_INLINE_MB", "0", "upload_inline_mb", 0),
    ("UPLOAD_EXPIRE_HOURS", "1", "upload_expire_hours", 1),
    ("DISK_RESERVE_MB", "64", "disk_reserve_mb", 64),
    ("SMTP_URL", "smtps://a:b@mail.example", "smtp_url", "smtps://a:b@mail.example"),
    ("MAIL_FROM", "Us <us@a.example>", "mail_from", "Us <us@a.example>"),
    ("NOTIFY_PRIVATE_ADDRESSES", "false", "private_addresses", False),
    ("LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
    ("WATTKEEPER_HOME", "/srv/wattkeeper", "wattkeeper_home", Path("/srv/wattkeeper")),
]


@pytest.mark.parametrize(("name", "text", "attribute", "meaning"), MEANINGS)
def test_a_variable_is_understood(
    name: str, text: str, attribute: str, meaning: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert getattr(settings_with(monkeypatch, **{name: text}), attribute) == meaning


def test_no_variable_is_left_out_above() -> None:
    assert {name for name, *_ in MEANINGS} == {name.upper() for name in Env.model_fields}


def test_without_any_variable_all_lies_under_the_folder_we_are_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = settings_with(monkeypatch)
    assert env.wattkeeper_home == folder / "var"
    assert env.database()["NAME"] == str(folder / "var" / "wattkeeper.sqlite3")
    assert env.readings_dsn == f"chdb://{folder / 'var' / 'readings'}"
    assert env.readings_are_embedded
    assert not env.debug


def test_the_example_shows_every_variable_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    example = REPOSITORY / ".env.example"
    shown = {line.partition("=")[0] for line in example.read_text().splitlines() if line and line[0] != "#"}
    assert shown == {name.upper() for name in Env.model_fields}
    assert Env(_env_file=example) == settings_with(monkeypatch)


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = dict.fromkeys((name.upper() for name in Env.model_fields), "")
    assert settings_with(monkeypatch, **nothing) == Env()


def test_a_file_sets_what_the_environment_does_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("UPLOAD_MAX_MB=7\nLOG_LEVEL=ERROR\nSOMETHING_ELSE=1\n")
    env = settings_with(monkeypatch, LOG_LEVEL="WARNING")
    assert (env.upload_max_mb, env.log_level) == (7, "WARNING")


def test_a_home_may_begin_at_the_persons_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert settings_with(monkeypatch, WATTKEEPER_HOME="~/wk").wattkeeper_home == folder / "wk"


def test_a_database_on_a_server_has_its_parts_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://a%40b:p%2Fw%23@db.example:6543/the%20name?sslmode=require"
    database = settings_with(monkeypatch, DATABASE_URL=url).database()
    expected = {"NAME": "the name", "USER": "a@b", "PASSWORD": "p/w#", "HOST": "db.example", "PORT": 6543}
    assert {name: database[name] for name in expected} == expected
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert database["OPTIONS"]["sslmode"] == "require"


@pytest.mark.parametrize(("url", "name"), [("sqlite:///a/b", "/a/b"), ("sqlite:////a/b", "/a/b")])
def test_a_database_file_is_named_by_its_path(url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = settings_with(monkeypatch, DATABASE_URL=url).database()
    assert (database["ENGINE"], database["NAME"]) == ("django.db.backends.sqlite3", name)


def test_what_was_answered_survives_a_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    pragmas = settings_with(monkeypatch).database()["OPTIONS"]["init_command"]
    assert "synchronous=FULL" in pragmas
    assert "journal_mode=WAL" in pragmas


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("DJANGO_ENV", "staging", "'local' or 'production'"),
        ("DEBUG", "perhaps", "valid boolean"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("READINGS_MAX_MEMORY_MB", "255", "greater than or equal to 256"),
        ("READINGS_MAX_MEMORY_MB", "2 GB", "valid integer"),
        ("READINGS_MAX_THREADS", "-1", "greater than or equal to 0"),
        ("UPLOAD_MAX_MB", "0", "greater than or equal to 1"),
        ("UPLOAD_INLINE_MB", "-1", "greater than or equal to 0"),
        ("UPLOAD_EXPIRE_HOURS", "1.5", "valid integer"),
        ("DISK_RESERVE_MB", "0", "greater than or equal to 1"),
        ("SMTP_URL", "mail.example:25", "give smtp://user:password@host:587"),
        ("SMTP_URL", "smtp://", "give smtp://user:password@host:587"),
        ("MAIL_FROM", "nobody", "give a mail address"),
        ("MAIL_FROM", "Us <us@>", "give a mail address"),
        ("MAIL_FROM", "us@a@b.example", "give a mail address"),
        ("MAIL_FROM", "Us <us@a..b.>, x", "give a mail address"),
        ("MAIL_FROM", "Us <\u00fcs@a.example>", "give a mail address"),
        ("MAIL_FROM", "Us <us@m\u00fcnchen.de>", "give a mail address"),
        ("MAIL_FROM", "Us <u(s@a.example>", "give a mail address"),
        ("NOTIFY_PRIVATE_ADDRESSES", "perhaps", "valid boolean"),
        ("PUBLIC_URL", "a.example", "give the address by which people reach this server"),
        ("WATTKEEPER_HOME", "~nobody-of-this-name/wk", "give a folder"),
        ("DATABASE_URL", "mysql://h/name", "give sqlite:///path or postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@h:port/name", "give sqlite:///path or postgresql://"),
        ("READINGS_URL", "clickhouse://h/db", "give chdb:///path or https://"),
        ("READINGS_URL", "https://[h/db", "give chdb:///path or https://"),
        ("REDIS_URL", "http://h:6379", "give redis://host:6379/0"),
        ("REDIS_URL", "redis://", "give redis://host:6379/0"),
        ("REDIS_URL", "redis://h:6379/first", "give redis://host:6379/0"),
    ],
)
def test_a_wrong_variable_is_named_with_what_would_be_right(
    name: str, text: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_with(monkeypatch, **{name: text})
    heading, line = str(caught.value).splitlines()
    assert heading == "Wrong settings:"
    assert line.strip().startswith(f"{name}: ")
    assert right in line


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_with(monkeypatch, DEBUG="perhaps", UPLOAD_MAX_MB="0", READINGS_URL="ftp://h")
    named = {line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:]}
    assert named == {"DEBUG", "UPLOAD_MAX_MB", "READINGS_URL"}


@pytest.mark.parametrize("url", ["mysql://u:{}@h/n", "postgresql://u:{}/rest@h:5/n", "postgresql://u:p@h:{}/n"])
@pytest.mark.parametrize("name", ["DATABASE_URL", "READINGS_URL", "REDIS_URL"])
def test_a_wrong_address_is_not_repeated_for_its_password(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_with(monkeypatch, **{name: url.format(PASSWORD)})
    assert name in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short-and-secret"}, "SECRET_KEY"),
        ({"SECRET_KEY": LONG_KEY, "DEBUG": "true"}, "DEBUG"),
    ],
)
def test_production_wants_a_key_and_no_debugging(
    variables: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"  {named}: ") as caught:
        settings_with(monkeypatch, DJANGO_ENV="production", **variables)
    assert "short-and-secret" not in str(caught.value)


def test_production_with_a_key_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    env = settings_with(monkeypatch, DJANGO_ENV="production", SECRET_KEY=LONG_KEY)
    assert env.django_env is Environment.PRODUCTION
    assert env.secret() == LONG_KEY


@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_command_says_what_is_wrong_without_a_traceback(command: str, folder: Path) -> None:
    environment = {**os.environ, "WATTKEEPER_HOME": str(folder / "home"), "UPLOAD_MAX_MB": "0"}
    done = subprocess.run(
        [sys.executable, REPOSITORY / "manage.py", command], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "UPLOAD_MAX_MB: " in done.stderr
    assert "Traceback" not in done.stderr


class TestTheSecretKey:
    def test_it_is_made_once_for_its_user_alone(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        env = settings_with(monkeypatch, WATTKEEPER_HOME=str(folder / "new" / "home"))
        key = env.secret()
        assert len(key) >= 50
        assert env.secret() == key == settings_with(monkeypatch).secret()
        (file,) = env.wattkeeper_home.iterdir()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_every_home_has_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = {settings_with(monkeypatch, WATTKEEPER_HOME=home).secret() for home in ("a", "b", "c")}
        assert len(keys) == 3

    def test_one_that_is_given_is_not_written_down(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert settings_with(monkeypatch, SECRET_KEY="given").secret() == "given"
        assert list(folder.iterdir()) == []

    def test_a_file_that_is_not_whole_is_no_key(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "secret_key").write_text("half")
        with pytest.raises(ImproperlyConfigured, match=r"secret_key is not whole\. Remove it"):
            settings_with(monkeypatch, WATTKEEPER_HOME=str(folder)).secret()

    def test_a_home_that_is_a_file_is_said_so(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "file").touch()
        with pytest.raises(ImproperlyConfigured, match=r"WATTKEEPER_HOME: .*file.* Give a folder to write to"):
            settings_with(monkeypatch, WATTKEEPER_HOME=str(folder / "file")).secret()

    def test_first_starts_at_once_agree_on_one(self, folder: Path) -> None:
        """Every process asks for the key of one new home after the other, all of them at the same time."""
        program = "import sys; from wattkeeper.config.env import Env\nprint(flush=True)\n"
        program += "for home in map(str.strip, sys.stdin): print(Env(wattkeeper_home=home).secret())"
        starts = [
            subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        homes = [folder / str(n) for n in range(40)]
        asked = "".join(f"{home}\n" for home in homes)
        for start in starts:
            assert start.stdout is not None
            start.stdout.readline()  # it has got as far as that
        for start in starts:
            assert start.stdin is not None
            start.stdin.write(asked)
            start.stdin.flush()
        heard = [start.communicate()[0].split() for start in starts]
        kept = [(home / "secret_key").read_text() for home in homes]
        assert heard == [kept] * len(starts)
        assert all(len(list(home.iterdir())) == 1 for home in homes)


@pytest.mark.parametrize("sign", "#?%")
def test_a_home_that_cannot_stand_in_a_url_is_refused(tmp_path: Path, sign: str) -> None:
    outcome = command("check", home=tmp_path, WATTKEEPER_HOME=str(tmp_path / f"a{sign}b"))
    assert outcome.returncode != 0
    assert "WATTKEEPER_HOME: give a folder without" in outcome.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_first_start_in_production_makes_its_home(tmp_path: Path) -> None:
    variables = {"DJANGO_ENV": "production", "SECRET_KEY": "k" * 40, "WATTKEEPER_HOME": str(tmp_path / "new" / "home")}
    assert command("migrate", "--verbosity", 0, home=tmp_path, **variables).returncode == 0
    assert (tmp_path / "new" / "home" / "wattkeeper.sqlite3").exists()


@pytest.mark.parametrize("words", [["serve", "--port", "99999"], ["serve", "--port", "-1"], ["runserver", "99999"]])
def test_a_port_that_is_none_is_said_so(tmp_path: Path, words: list[str]) -> None:
    outcome = command(*words, home=tmp_path)
    assert outcome.returncode != 0
    assert "is not a port from 1 to 65535" in outcome.stderr
    assert "Traceback" not in outcome.stderr
