"""The ways by which people are told: a folder each, and a line here."""

from __future__ import annotations
