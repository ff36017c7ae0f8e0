"""`python live_server.py NAME=SECONDS ... COMMAND...`: run COMMAND, a Python script with its words, with
other limits of the live sockets than those of `views/live/door.py`."""

from __future__ import annotations

import os
import runpy
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    import django

    django.setup()
    from wattkeeper.views.live import door, mailbox

    words = sys.argv[1:]
    while "=" in words[0]:
        name, _, number = words.pop(0).partition("=")
        where = mailbox if name == "BYTES_MOST" else door
        assert hasattr(where, name), name
        setattr(where, name, type(getattr(where, name))(float(number)))
    sys.argv = words[1:]  # without the interpreter
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
