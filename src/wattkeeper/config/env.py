"""Every setting, typed, from environment variables and `.env`; a wrong one stops the start with a sentence."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CONNECTION_SECONDS = 60  # that a thread keeps a connection to the database
SECRET_KEY_MIN = 32
_PERCENT = ", what is special in a password percent-encoded"


class Environment(StrEnum):
    LOCAL = "local"
    PRODUCTION = "production"


class Env(BaseSettings):
    """See `.env.example` for what each one means to an operator."""

    # A variable that is set to nothing, as `.env.example` and compose files have them, is one that is not set.
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    wattkeeper_home: Path = Path("var")
    django_env: Environment = Environment.LOCAL
    debug: bool = False
    secret_key: str = ""
    allowed_hosts: Annotated[list[str], NoDecode] = ["localhost", "127.0.0.1", "[::1]"]
    csrf_trusted_origins: Annotated[list[str], NoDecode] = []
    public_url: str = ""
    database_url: str = ""
    readings_url: str = ""
    redis_url: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # The engine's share of the machine, for each query.
    readings_max_memory_mb: int = Field(default=2000, ge=256)
    readings_max_threads: int = Field(default=0, ge=0, description="0: one for each core")
    upload_max_mb: int = Field(default=4096, ge=1)
    upload_inline_mb: int = Field(default=16, ge=0)
    upload_expire_hours: int = Field(default=48, ge=1)
    disk_reserve_mb: int = Field(default=32, ge=1)
    smtp_url: str = ""
    mail_from: str = "Wattkeeper <wattkeeper@localhost>"
    notify_private_addresses: bool | None = None

    @field_validator("allowed_hosts", "csrf_trusted_origins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("wattkeeper_home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        try:
            home = value.expanduser().resolve()
        except RuntimeError:  # ~ without a home, ~name without such a user
            raise ValueError("give a folder; there is no such user as its ~ says") from None
        if set("#?%") & set(str(home)):  # it becomes a part of URLs
            raise ValueError("give a folder without #, ? and % in its path")
        return home

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: str) -> str:
        if value and not _is_url(value, {"sqlite", "postgres", "postgresql"}):
            raise ValueError(f"give sqlite:///path or postgresql://user:password@host:5432/name{_PERCENT}")
        return value

    @field_validator("readings_url")
    @classmethod
    def _readings_scheme(cls, value: str) -> str:
        if value and not _is_url(value, {"chdb", "http", "https"}):
            raise ValueError(f"give chdb:///path or https://user:password@host:8443/database{_PERCENT}")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_scheme(cls, value: str) -> str:
        if value and not (_is_url(value, {"smtp", "smtps"}) and urlsplit(value).hostname):
            raise ValueError(f"give smtp://user:password@host:587 or smtps://user:password@host:465{_PERCENT}")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_address(cls, value: str) -> str:
        name, address = parseaddr(value)
        well = value.isprintable() and address.isascii() and all(address.partition("@")) and " " not in address
        try:
            EmailMessage()["From"] = Address(name, addr_spec=address)
        except (ValueError, IndexError, MessageError):  # as the parser fails
            well = False
        if not well:
            raise ValueError("give a mail address in ASCII letters, or Name <address>")
        return value

    @field_validator("public_url")
    @classmethod
    def _public_scheme(cls, value: str) -> str:
        if value and not (_is_url(value, {"http", "https"}) and urlsplit(value).hostname):
            raise ValueError("give the address by which people reach this server: https://wattkeeper.example.com")
        return value.rstrip("/")

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str) -> str:
        if not value:
            return value
        well = _is_url(value, {"redis", "rediss"})
        if not (well and urlsplit(value).hostname and re.fullmatch(r"(/[0-9]*)?", urlsplit(value).path)):
            raise ValueError(f"give redis://host:6379/0 or rediss://user:password@host:6379/0{_PERCENT}")
        return value

    @model_validator(mode="after")
    def _production_is_strict(self) -> Env:
        if self.django_env is Environment.PRODUCTION:
            if self.debug:
                raise ValueError("DEBUG: is for DJANGO_ENV=local only")
            if len(self.secret_key) < SECRET_KEY_MIN:
                raise ValueError(f"SECRET_KEY: is required in production, at least {SECRET_KEY_MIN} characters")
        return self

    @property
    def private_addresses(self) -> bool:
        """Whether a tenant's notifications may go to this machine and its networks."""
        if self.notify_private_addresses is None:
            return self.django_env is Environment.LOCAL
        return self.notify_private_addresses

    @property
    def readings_dsn(self) -> str:
        return self.readings_url or f"chdb://{self.wattkeeper_home / 'readings'}"

    @property
    def readings_are_embedded(self) -> bool:
        return self.readings_dsn.startswith("chdb:")

    def home(self) -> Path:
        """The folder of all that the program keeps, made where it is missing."""
        try:
            self.wattkeeper_home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(error) from None
        return self.wattkeeper_home

    def database(self) -> dict[str, Any]:
        """Django's `DATABASES["default"]`."""
        url = urlsplit(self.database_url or f"sqlite:///{self.home() / 'wattkeeper.sqlite3'}")
        if url.scheme == "sqlite":
            return {
                "ENGINE": "django.db.backends.sqlite3",
                "CONN_MAX_AGE": CONNECTION_SECONDS,
                "NAME": url.path[1:] if url.path.startswith("//") else url.path,
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "timeout": 20,
                    # FULL: what was answered with a 2xx survives a power cut.
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
                },
                # Tests keep theirs in a file too: in memory there is no WAL and no second connection.
                "TEST": {"NAME": str(self.wattkeeper_home / "test.sqlite3")},
            }
        return {
            "ENGINE": "django.db.backends.postgresql",
            "CONN_MAX_AGE": CONNECTION_SECONDS,
            "CONN_HEALTH_CHECKS": True,
            "NAME": unquote(url.path.lstrip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": url.port or "",
            "OPTIONS": dict(parse_qsl(url.query)),
        }

    def secret(self) -> str:
        """The secret key; the embedded server makes its own at the first start, readable by its user alone."""
        if self.secret_key:
            return self.secret_key
        path = self.home() / "secret_key"
        try:
            if not path.exists():
                _write_once(path, secrets.token_urlsafe(50))
            key = path.read_text()
        except OSError as error:
            raise _unusable(error) from None
        if len(key) < SECRET_KEY_MIN:
            raise ImproperlyConfigured(f"{path} is not whole. Remove it: a new one is made, and all log in again.")
        return key


def _unusable(error: OSError) -> ImproperlyConfigured:
    reason = f"{error.filename} cannot be used: {error.strerror}"
    return ImproperlyConfigured(f"WATTKEEPER_HOME: {reason}. Give a folder to write to.")


def _is_url(value: str, schemes: set[str]) -> bool:
    """What urlsplit itself has to say is not for showing: it quotes what may be a password."""
    try:
        url = urlsplit(value)
        return url.scheme in schemes and (url.port is None or url.port > 0)
    except ValueError:
        return False


def _write_once(path: Path, text: str) -> None:
    """The file appears with all that is in it, readable by its user alone; the first of several writers wins."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()


@cache
def load() -> Env:
    """The settings; ImproperlyConfigured with one line for each that is wrong."""
    try:
        return Env()
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{name}: {message}" if name else message)
        raise ImproperlyConfigured("Wrong settings:\n  " + "\n  ".join(lines)) from None
