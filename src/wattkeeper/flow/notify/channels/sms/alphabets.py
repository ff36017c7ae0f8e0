"""How telephones count: 160 septets of their own alphabet (3GPP TS 23.038), or 70 units of UCS-2 as soon as one sign is
none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_ASCII = " !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASIC = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà"
_EXTENDED = "\f^{}\\[~]|€"  # of two septets, the first of which says so
_GSM_SEPTETS = {**dict.fromkeys(_ASCII + _BASIC, 1), **dict.fromkeys(_EXTENDED, 2)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabet:
    """`most`: how much of it one message takes. `signs`: the length of each; empty: it has all, in units of UTF-16."""

    most: int
    ellipsis: str
    signs: Mapping[str, int] = field(default_factory=dict, hash=False)

    def has(self, text: str) -> bool:
        return not self.signs or all(sign in self.signs for sign in text)

    def length(self, text: str) -> int:
        """As telephones count it; what the alphabet has not counts as one."""
        return sum(self._length(sign) for sign in text)

    def shortened(self, text: str, most: int) -> str:
        """The same, or its beginning with an ellipsis, no longer than that."""
        if self.length(text) <= most:
            return text
        room, kept = most - self.length(self.ellipsis), ""
        for sign in text:
            if (room := room - self._length(sign)) < 0:
                break
            kept += sign
        return f"{kept.rstrip()}{self.ellipsis}" if most >= self.length(self.ellipsis) else ""

    def _length(self, sign: str) -> int:
        return self.signs.get(sign, 1) if self.signs else len(sign.encode("utf-16-le", "replace")) // 2


GSM_7 = Alphabet(most=160, ellipsis="...", signs=_GSM_SEPTETS)
UCS_2 = Alphabet(most=70, ellipsis="\u2026")
