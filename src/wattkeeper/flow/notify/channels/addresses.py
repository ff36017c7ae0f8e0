"""Which addresses a server may call on somebody else's word: a tenant's admin names them, and we stand in a network
in which the metadata of a cloud, databases and admin pages answer whoever asks."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from wattkeeper.flow.notify.channels.outside import outside

# In which an address of the old internet stands, in their last 32 bits.
_WITHIN = tuple(ipaddress.IPv6Network(one) for one in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96"))
# That Python counts among those of everyone: a cloud's own, those of protocols, and two that nobody routes any more.
_REFUSED = tuple(
    ipaddress.ip_network(one) for one in ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10")
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefusedError(Exception):
    """It is none that may be called; the text says why, without the URL, which may be a secret."""


def check_url(url: str) -> None:
    """AddressRefusedError for what can be told of a URL by looking at it; its name is looked up when it is called."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefusedError("This is no URL.") from None
    if not url.isascii() or any(sign <= " " for sign in url) or not host or port == 0:
        raise AddressRefusedError("This is no URL.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("Give a URL without a user in it.")
    allowed = ("https", "http") if outside().private_addresses else ("https",)
    if parts.scheme not in allowed:
        raise AddressRefusedError(f"Give a URL that begins with {' or '.join(f'{one}://' for one in allowed)}.")
    if (literal := _literal(host)) is not None:
        _check(literal)


def addresses_of(host: str, port: int) -> Sequence[str]:
    """The addresses that a name stands for, which may all be called: to be connected to as they are, since a name
    that is looked up again may mean another. AddressRefusedError; OSError where there is no such name."""
    literal = _literal(host)
    found = (
        [str(literal)]
        if literal is not None
        else [str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    )
    addresses = list(dict.fromkeys(one.partition("%")[0] for one in found))
    for address in addresses:
        _check(ipaddress.ip_address(address))
    return addresses


def _check(address: Address) -> None:
    if not outside().private_addresses and not all(_is_public(one) for one in _meant(address)):
        raise AddressRefusedError("This address is in a private network, which channels may not reach.")


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not any(address in one for one in _REFUSED)


def _meant(address: Address) -> Sequence[Address]:
    """The address, and the one of the old internet that stands in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    within = [address.sixtofour, *(address.teredo or ())]
    if any(address in one for one in _WITHIN):
        within.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in within if one is not None)]


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
