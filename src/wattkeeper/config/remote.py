"""A running server, as the command line sees it: files in, files out, through its API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

CHUNK_BYTES = 1 << 20
IN_FLIGHT = 4
ATTEMPTS = 6
PAUSE_SECONDS = 0.5  # before the second attempt; twice as long before each further one
RETRY_AFTER_MOST_SECONDS = 60
POLL_SECONDS = 0.3
TIMEOUT = httpx.Timeout(60, read=300)


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a stream takes and gives files, and what it calls the key of an asset."""

    path: str
    asset_field: str


VEHICLES = Mount("/api/v1/vehicle_data/", "vehicle_id")
KINDS: Mapping[str, Mount] = {"vehicle": VEHICLES, "battery": Mount("/api/v1/battery_status/", "serial_number")}

# What a report has, as far as anybody here reads it.
REPORT = ("inserted", "duplicates", "refused", "flagged", "ignored_columns", "refused_rows", "refused_csv")

NOT_OURS = "What answers at this address is no Wattkeeper server."

Progress = Callable[[int, int | None], None]


class RemoteError(Exception):
    """One sentence that says why the server did not do it."""


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file on its way in. `asset` None: the file itself says whose rows these are."""

    path: Path
    asset: str | None
    asset_field: str = VEHICLES.asset_field

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    @property
    def chunks(self) -> int:
        return -(-self.size // CHUNK_BYTES)

    def form(self) -> dict[str, str]:
        form = {"file_name": self.path.name, "total_chunks": str(self.chunks)}
        return form if self.asset is None else {**form, self.asset_field: self.asset}

    def chunk(self, index: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(index * CHUNK_BYTES)
            return file.read(CHUNK_BYTES)


class Server:
    """`key` is an API key; `tenant` a slug, for keys above tenants."""

    def __init__(self, url: str, *, key: str, kind: str, tenant: str | None = None) -> None:
        self._base = KINDS[kind].path
        self._params = {"tenant": tenant} if tenant else {}
        if not _is_address(url):
            raise RemoteError("The server's address cannot be right: give one such as http://127.0.0.1:8000.")
        key = key.strip()  # of a file's last line break
        if not (key and key.isascii() and key.isprintable()):
            raise RemoteError("The API key cannot be right: there are characters in it that no key has.")
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Api-Key {key}"}, timeout=TIMEOUT)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def send(self, file: UploadFile, progress: Progress) -> None:
        """All chunks, several at a time; one that fails is sent again."""
        sent = 0
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            futures = [pool.submit(self._send_chunk, file, index) for index in range(file.chunks)]
            try:
                for future in as_completed(futures):
                    sent += future.result()
                    progress(sent, file.size)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def finalize(self, file: UploadFile, progress: Progress) -> dict[str, Any]:
        """Have the file loaded and wait for the report."""
        answer = self._ask("POST", "finalize_upload/", data=file.form(), headers={"Prefer": "respond-async"})
        if answer.status_code == httpx.codes.OK:
            return _told(_json(answer), *REPORT)
        place = answer.headers.get("Location", "")
        while True:
            status = _told(_json(self._ask("GET", place, absolute=True)), "status")
            if status["status"] == "done":
                return _told(status.get("report"), *REPORT)
            if status["status"] == "failed":
                raise RemoteError(_told(status, "detail")["detail"])
            if status["status"] not in {"receiving", "running"}:
                raise RemoteError(NOT_OURS)
            told = status.get("progress") or {}
            progress(told.get("done", 0), told.get("total"))
            time.sleep(POLL_SECONDS)

    def refused(self, report: Mapping[str, Any], target: Path) -> None:
        """Save the refused rows of a load."""
        target.write_bytes(self._ask("GET", report["refused_csv"], absolute=True).content)

    def export(self, query: Mapping[str, str], target: Path | None, progress: Progress) -> Path:
        """Download an export; `target` None: under the name that the server gives it. Never half a file."""
        params = {**self._params, **query}
        if target and target.is_dir():
            raise RemoteError(f"{target} is a folder: name a file.")
        try:
            with self._http.stream("GET", f"{self._base}export/", params=params) as answer:
                if not answer.is_success:
                    answer.read()
                    raise RemoteError(_reason(answer))
                disposition = answer.headers.get("Content-Disposition", "")
                if not disposition.startswith("attachment"):
                    raise RemoteError(NOT_OURS)
                final = target or Path(_file_name(disposition))
                unfinished = final.with_name(f"{final.name}.part")
                try:
                    with unfinished.open("wb") as out:
                        for got in _saved(answer.iter_bytes(CHUNK_BYTES), out.write):
                            progress(got, None)
                    unfinished.replace(final)
                finally:
                    unfinished.unlink(missing_ok=True)
                return final
        except httpx.HTTPError as error:
            raise RemoteError(f"The download broke off: {_why(error)}") from None

    def _send_chunk(self, file: UploadFile, index: int) -> int:
        content = file.chunk(index)
        form = {**file.form(), "chunk_index": str(index)}
        answer = self._ask("POST", "upload_chunk/", data=form, files={"chunk": ("chunk", content)})
        _told(_json(answer), "status")
        return len(content)

    def _ask(self, method: str, path: str, *, absolute: bool = False, **options: Any) -> httpx.Response:
        """Ask, and ask again where that can help; RemoteError with the server's reason where it cannot."""
        url = path if absolute else f"{self._base}{path}"
        for attempt in range(1, ATTEMPTS + 1):
            pause = min(PAUSE_SECONDS * 2 ** (attempt - 1), 10)
            try:
                answer = self._http.request(method, url, params=self._params, **options)
            except httpx.InvalidURL:  # the server's: our own has been looked at
                raise RemoteError(NOT_OURS) from None
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS:
                    raise RemoteError(f"The server cannot be reached: {_why(error)}") from None
                time.sleep(pause)
                continue
            if answer.is_success:
                return answer
            again = answer.status_code in {429, 500, 502, 503, 504}
            if not again or attempt == ATTEMPTS:
                raise RemoteError(_reason(answer))
            retry_after = answer.headers.get("Retry-After", "")
            time.sleep(min(float(retry_after), RETRY_AFTER_MOST_SECONDS) if retry_after.isdigit() else pause)
        raise AssertionError("the loop returns or raises")


def _is_address(text: str) -> bool:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return url.scheme in {"http", "https"} and bool(url.host) and (url.port is None or 0 < url.port < 1 << 16)


def _told(body: Any, *names: str) -> dict[str, Any]:
    """`body`, which has all of these `names`: a proxy's page of greetings is no report."""
    if isinstance(body, dict) and body.keys() >= set(names):
        return body
    raise RemoteError(NOT_OURS)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _why(error: httpx.HTTPError) -> str:
    return f"{str(error).rstrip('.') or type(error).__name__}."


def _saved(pieces: Iterator[bytes], write: Callable[[bytes], int]) -> Iterator[int]:
    got = 0
    for piece in pieces:
        write(piece)
        got += len(piece)
        yield got


def _reason(answer: httpx.Response) -> str:
    """What the server says is wrong, in one line."""
    if answer.has_redirect_location:
        return f"The server is at another address: {answer.headers['Location']}"
    body = _json(answer)
    if not body:
        return f"The server answered {answer.status_code}."
    if not isinstance(body, dict):
        return f"The server answered {answer.status_code}: {body}"
    parts = [
        str(value) if name == "detail" else f"{name}: {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in body.items()
    ]
    return " ".join(parts)


def _file_name(disposition: str) -> str:
    """The bare name in a Content-Disposition; whatever could be a path in it is cut off."""
    found = re.search(r'filename="?([^";]+)"?', disposition)
    return Path(found[1]).name if found else "export"
