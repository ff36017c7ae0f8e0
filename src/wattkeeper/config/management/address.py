"""Where a server listens, as an argument of a command."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

from wattkeeper.base.core.ids import is_whole


def add_address_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port, default=8000)


def port(text: str) -> int:
    """A port's number; ArgumentTypeError for anything else."""
    if not (is_whole(text, digits=5) and 1 <= int(text) <= 65_535):
        raise ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)
