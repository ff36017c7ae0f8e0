#!/usr/bin/env python
"""`./manage.py X` is `wattkeeper X`."""

from wattkeeper.config.cli import main

if __name__ == "__main__":
    main()
