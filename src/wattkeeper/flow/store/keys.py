"""The key of a reading, and the opaque id by which the outside names it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.base.core.clock import EPOCH, to_microseconds
from wattkeeper.base.core.ids import opaque_decode, opaque_encode

_LAYOUT = struct.Struct(">QQ")
_LAYOUT_WITH_DIGEST = struct.Struct(">QQQ")


@dataclass(frozen=True, slots=True)
class ReadingKey:
    """Names one row whatever file it came with: an asset's id is never used again.

    `digest`: of what it says, in a stream that knows its readings by that; else 0.
    """

    asset_id: int
    at: datetime
    digest: int = 0

    def public_id(self) -> str:
        at = to_microseconds(self.at)
        if self.digest:
            return opaque_encode(_LAYOUT_WITH_DIGEST.pack(self.asset_id, at, self.digest))
        return opaque_encode(_LAYOUT.pack(self.asset_id, at))

    @classmethod
    def from_public_id(cls, text: str) -> ReadingKey | None:
        """The key that `text` names; None if it is not an id of ours."""
        payload = opaque_decode(text)
        layout = {one.size: one for one in (_LAYOUT, _LAYOUT_WITH_DIGEST)}.get(len(payload or b""))
        if payload is None or layout is None:
            return None
        asset_id, microseconds, *digest = layout.unpack(payload)
        try:
            return cls(asset_id, EPOCH + timedelta(microseconds=microseconds), *digest)
        except OverflowError:
            return None
