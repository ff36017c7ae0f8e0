"""The chunks become one file, and what the engine's checks depend on is noted on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from wattkeeper.flow.readings.files import MAX_LINE_BYTES, DelimitedFile
from wattkeeper.flow.sources.csv_upload.header import Header

_BUFFER = 1 << 20  # no larger than MAX_LINE_BYTES: a line inside one buffer is then never too long


@dataclass(slots=True)
class _Facts:
    lines: int = 0
    has_quotes: bool = False
    has_nul: bool = False
    is_ascii: bool = True
    has_long_line: bool = False


def assemble(
    chunks: Iterable[Path],
    target: Path,
    header: Header,
    *,
    asset_key: str | None,
    progress: Callable[[int], None],
) -> DelimitedFile:
    """Write the chunks to `target` one after the other, without the byte order mark, overlong lines cut.

    `progress` hears how many bytes have been read.
    """
    facts, read = _Facts(), 0
    with target.open("wb") as out:
        line_bytes, last = 0, b"\n"
        for buffer in _buffers(chunks, skip=3 if header.bom else 0):
            read += len(buffer)
            _note(facts, buffer)
            line_bytes = _write(out, buffer, line_bytes, facts)
            last = buffer[-1:]
            progress(read)
    if last != b"\n":
        facts.lines += 1  # a last line without a line break
    return DelimitedFile(
        path=target,
        delimiter=header.delimiter,
        header_line=header.line,
        field_count=header.field_count,
        positions=header.positions,
        lines=facts.lines,
        has_quotes=facts.has_quotes,
        has_nul=facts.has_nul,
        is_ascii=facts.is_ascii,
        has_long_line=facts.has_long_line,
        asset_key=asset_key,
        ignored_columns=header.ignored,
    )


def _buffers(chunks: Iterable[Path], *, skip: int) -> Iterator[bytes]:
    for chunk in chunks:
        with chunk.open("rb") as file:
            while buffer := file.read(_BUFFER):
                cut, skip = min(skip, len(buffer)), max(skip - len(buffer), 0)
                if cut:
                    buffer = buffer[cut:]
                if buffer:
                    yield buffer


def _note(facts: _Facts, buffer: bytes) -> None:
    facts.lines += buffer.count(b"\n")
    facts.has_quotes = facts.has_quotes or b'"' in buffer
    facts.has_nul = facts.has_nul or b"\0" in buffer
    facts.is_ascii = facts.is_ascii and buffer.isascii()


def _write(out: BinaryIO, buffer: bytes, line_bytes: int, facts: _Facts) -> int:
    """Write `buffer`; of a line longer than the limit only its beginning. Gives the open line's length so far.

    Only the line that reaches in from the buffer before can be too long.
    """
    first_break = buffer.find(b"\n")
    head = len(buffer) if first_break < 0 else first_break
    if line_bytes + head > MAX_LINE_BYTES:
        facts.has_long_line = True
        out.write(buffer[: max(MAX_LINE_BYTES - line_bytes, 0)])
        out.write(buffer[head:])
    else:
        out.write(buffer)
    if first_break < 0:
        return line_bytes + len(buffer)
    return len(buffer) - buffer.rfind(b"\n") - 1
