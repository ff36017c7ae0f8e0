"""The key of a reading, and the opaque id by which the outside names it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

from wattkeeper.base.core.clock import EPOCH, to_microseconds
from wattkeeper.base.core.ids import opaque_decode, opaque_encode

_LAYOUT = struct.Struct(">QQ")


@dataclass(frozen=True, slots=True)
class ReadingKey:
    """Names one row whatever file it came with: an asset's id is never used again."""

    asset_id: int
    at: datetime

    def public_id(self) -> str:
        return opaque_encode(_LAYOUT.pack(self.asset_id, to_microseconds(self.at)))

    @classmethod
    def from_public_id(cls, text: str) -> ReadingKey | None:
        """The key that `text` names; None if it is not an id of ours."""
        payload = opaque_decode(text)
        if payload is None or len(payload) != _LAYOUT.size:
            return None
        asset_id, microseconds = _LAYOUT.unpack(payload)
        try:
            return cls(asset_id, EPOCH + timedelta(microseconds=microseconds))
        except OverflowError:
            return None
