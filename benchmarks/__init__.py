"""Every promised speed, measured beside its peer and its limit in one run: `make bench`."""
