"""The command `wattkeeper`, the same as `manage.py`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command named by `sys.argv`; wrong settings are one clear message, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wattkeeper.config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
