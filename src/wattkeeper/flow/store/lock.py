"""One server a home: the lock that says who holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from wattkeeper.base.core.errors import HomeInUseError


class HomeLock:
    """An advisory lock on a file; the kernel frees it when the holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, holder: str) -> None:
        """Take the lock and write `holder` into it; HomeInUseError says who has it already."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise HomeInUseError(
                f"{self._path.parent} is in use by {file.read().strip() or 'another process'}. "
                "Stop that server first, or set WATTKEEPER_HOME to another folder."
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} ({holder})")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
