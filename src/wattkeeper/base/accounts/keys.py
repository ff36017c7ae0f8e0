"""Keys as they travel: made, digested, and recognised again, from memory for at most ten seconds."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import time
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Q

from wattkeeper.base.accounts.callers import Caller, caller_of_key
from wattkeeper.base.accounts.models import ApiKey
from wattkeeper.base.core import clock

log = logging.getLogger(__name__)

MARK = "wk_"
PREFIX_LENGTH = 11
SHAPE = re.compile(r"wk_[A-Za-z0-9_-]{43}")  # 32 bytes, URL-safe
REMEMBER_SECONDS = 10.0
NOTE_USE_EVERY = timedelta(minutes=1)

# Only keys that are right are remembered, so that guesses do not fill it and a new key works at once.
_remembered: dict[str, tuple[float, Caller]] = {}


def secret_new() -> str:
    """The text of a new key."""
    return MARK + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a key: 32 random bytes need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_caller(secret: str) -> Caller | None:
    """The caller who holds this key; None if it is wrong or revoked (here at once, elsewhere within 10 s)."""
    if not SHAPE.fullmatch(secret):
        return None
    digest = digest_of(secret)
    until, caller = _remembered.get(digest, (0.0, None))
    if caller is not None and time.monotonic() < until:
        return caller
    # The prefix is no secret; what is, is compared in constant time.
    prefix = secret[:PREFIX_LENGTH]
    for key in ApiKey.objects.filter(prefix=prefix, revoked_at=None):
        if hmac.compare_digest(key.digest, digest):
            caller = caller_of_key(key)
            _remembered[digest] = (time.monotonic() + REMEMBER_SECONDS, caller)
            _note_use(key)
            return caller
    _remembered.pop(digest, None)
    return None


def forget(digest: str | None = None) -> None:
    """Ask the database again at the next use of this key, or of every key."""
    if digest is None:
        _remembered.clear()
    else:
        _remembered.pop(digest, None)


def _note_use(key: ApiKey) -> None:
    now = clock.now()
    if key.last_used_at is not None and key.last_used_at > now - NOTE_USE_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - NOTE_USE_EVERY)
    try:
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
    except DatabaseError:
        # A full or busy disk must not turn readers away.
        log.warning("The last use of key %s could not be noted", key.pk, exc_info=True)
