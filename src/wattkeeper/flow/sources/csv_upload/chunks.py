"""Chunks on the disk. Names are made here from ids and numbers; nothing that a sender chose is part of a path."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from wattkeeper.base.core.errors import OutOfSpaceError, TooLargeError

MAX_CHUNK_BYTES = 16 << 20
_WHOLE = "whole.txt"


@dataclass(frozen=True, slots=True)
class ChunkFolder:
    """The chunks of one upload. `reserve_bytes` of the disk are left to the database and the engine."""

    root: Path
    upload_id: UUID
    reserve_bytes: int

    @property
    def path(self) -> Path:
        return self.root / str(self.upload_id)

    @property
    def whole(self) -> Path:
        """Where the assembled file lies while it is loaded."""
        return self.path / _WHOLE

    def write(self, index: int, pieces: Iterable[bytes], *, size: int) -> None:
        """Keep a chunk, durably; sent again, it replaces itself."""
        if size > MAX_CHUNK_BYTES:
            raise TooLargeError(f"A chunk may have at most {MAX_CHUNK_BYTES >> 20} MiB.")
        self.require_space(size)
        final = self.chunk(index)
        unfinished = final.with_name(f"{final.name}.{os.getpid()}.{os.urandom(4).hex()}.part")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as out:
                for piece in pieces:
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(final)
            _sync_folder(self.path)
            _sync_folder(self.root)  # with the first chunk its folder is new, too
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise _full() from None
            raise

    def chunk(self, index: int) -> Path:
        return self.path / f"{index:08d}"

    def present(self) -> dict[int, int]:
        """The sizes of the chunks that are here, by index."""
        found: dict[int, int] = {}
        # Nothing has come, or all of it goes just now.
        with suppress(FileNotFoundError), os.scandir(self.path) as files:
            for file in files:
                if file.name.isdigit():
                    found[int(file.name)] = file.stat().st_size
        return found

    def require_space(self, size: int) -> None:
        """OutOfSpaceError where writing `size` bytes would leave the server without room to work."""
        self.root.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.root).free < size + self.reserve_bytes:
            raise _full()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _full() -> OutOfSpaceError:
    return OutOfSpaceError("The server's disk is full. What it has acknowledged is safe; send this again later.")


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
