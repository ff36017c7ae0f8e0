"""Certificates that this machine makes for itself, by the `openssl` command."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Signed by nobody but itself: who is to trust it is given `path`."""

    path: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """For a server that shows it."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.path, self.key)
        return context


def certificate_make(folder: Path, name: str) -> Certificate:
    """For a server of that name."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    told = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", *words, *told, "-out", str(made.path), "-keyout", str(made.key)]
    subprocess.run(command, check=True, capture_output=True)
    return made
