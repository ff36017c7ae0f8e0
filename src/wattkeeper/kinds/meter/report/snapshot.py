"""A month's lines as they are kept when it is frozen: a line of JSON each, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import msgspec

from wattkeeper.kinds.meter.report.lines import MeterLine

_READ_BYTES = 1 << 18
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(MeterLine)


def content_of(lines: Iterable[MeterLine]) -> bytes:
    """The lines in their order."""
    packer = zlib.compressobj()
    packed = [packer.compress(_encoder.encode(line) + b"\n") for line in lines]
    return b"".join([*packed, packer.flush()])


def lines_of(content: bytes | memoryview) -> Iterator[MeterLine]:
    """The lines that were kept."""
    unpacker, rest = zlib.decompressobj(), b""
    for start in range(0, len(content), _READ_BYTES):
        *whole, rest = (rest + unpacker.decompress(content[start : start + _READ_BYTES])).split(b"\n")
        yield from map(_decoder.decode, whole)
    assert not rest and unpacker.eof
