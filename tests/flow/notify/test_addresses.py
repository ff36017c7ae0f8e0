"""Which addresses a channel may reach where private ones are not allowed: by what is written, and by what it means."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.endpoints import Endpoint
from tests.support.notify import SECRET, message
from wattkeeper.flow.notify.channels.addresses import AddressRefusedError, addresses_of, check_url
from wattkeeper.flow.notify.channels.declared import Outcome
from wattkeeper.flow.notify.channels.outside import connect, outside
from wattkeeper.flow.notify.channels.registry import channel_types

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "64:ff9b:1::808:808",
    "::10.0.0.1",
    "::7f00:1",
    "::ffff:0:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "fec0::1",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "192.0.0.9",
]
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"]


@pytest.fixture(autouse=True)
def _far(_near: None) -> Iterator[None]:
    connect(replace(outside(), private_addresses=False))
    yield


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What the system's resolver would say of any name."""
    found = [
        (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def urlhost(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_cannot_be_written(address: str) -> None:
    for name, more in (("webhook", {"secret": SECRET}), ("teams", {})):
        with pytest.raises(ValidationError) as caught:
            channel_types()[name].check({"url": f"https://{urlhost(address)}/secret-path", **more})
        assert list(caught.value.message_dict) == ["url"]
        assert "secret-path" not in str(caught.value)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_can_be_written(address: str) -> None:
    check_url(f"https://{urlhost(address)}/")


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_stands_for_a_private_address_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, "8.8.8.8", address)
    attempt = channel_types()["webhook"].send({"url": "https://innocent.example/", "secret": SECRET}, message())
    assert attempt.outcome is Outcome.REFUSED
    assert "private network" in attempt.detail


def test_a_name_that_stands_for_public_addresses_is_connected_to_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves_to(monkeypatch, *PUBLIC, PUBLIC[0])
    assert list(addresses_of("innocent.example", 443)) == PUBLIC


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "0177.0.0.1"])
def test_another_way_to_write_this_machine_is_not_called(host: str) -> None:
    """The system's resolver knows them all."""
    attempt = channel_types()["webhook"].send({"url": f"https://{host}/", "secret": SECRET}, message())
    assert any(words in attempt.detail for words in ("private network", "No such host", "This is no URL"))


def test_plain_http_cannot_be_written() -> None:
    with pytest.raises(AddressRefusedError, match="https://"):
        check_url("http://hooks.example/")


def test_what_was_allowed_once_is_not_called_when_it_is_not_any_more() -> None:
    with Endpoint() as running:
        attempt = channel_types()["webhook"].send({"url": running.url, "secret": SECRET}, message())
        assert attempt.outcome is Outcome.REFUSED
        assert not running.asked


@pytest.mark.parametrize(
    "url",
    ["", "https://", "https:///path", "ftp://a.example/", "a.example", "https://u:p@a.example/", "https://a.example:0/",
     "https://a.example:99999/", "https://[::1", "https://a b.example/", "https://a.example/\r\nX: 1", "https://ä.example/"],
)  # fmt: skip
def test_what_is_no_url_of_an_endpoint_cannot_be_written(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_url(url)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40).map(lambda text: f"https://{text}"))
def test_whatever_is_written_is_taken_or_refused(url: str) -> None:
    try:
        check_url(url)
    except AddressRefusedError:
        return
    assert url.isascii()
