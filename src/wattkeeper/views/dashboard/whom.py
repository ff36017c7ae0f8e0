"""Whom to ask for what one may not do oneself."""

from __future__ import annotations

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.matrix import Action
from wattkeeper.base.accounts.queries import users_of

NAMED_MOST = 3


def whom_to_ask(caller: Caller, action: Action, *, tenant_id: int | None) -> str:
    """Those of the tenant who may do that: `anna, ben or carla`; of many some, of none what they would be."""
    people = users_of(caller, tenant_id=tenant_id, who_may=action)[:NAMED_MOST]
    *others, last = [one.get_username() for one in people] or ["an admin of your tenant"]
    return f"{', '.join(others)} or {last}" if others else last
