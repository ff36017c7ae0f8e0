"""Who may do what. This table alone says it; extend it here and in the test that walks it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from django.db.models import TextChoices


class Role(TextChoices):
    """What a person is in their tenant."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"
    ADMIN = "admin"


class Scope(TextChoices):
    """What a key is for."""

    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"


class Action(StrEnum):
    """What a view says that a method does."""

    READ = "read"
    INGEST = "ingest"
    STATUS_UPDATE = "status_update"  # say what one thing does now
    FOLLOW = "follow"  # one's own upload on its way
    ASSET_EDIT = "asset_edit"
    ALERT_ACT = "alert_act"  # take care of an alert: acknowledge, assign, comment, shelve; post one, and mend its words
    ALERT_RESOLVE = "alert_resolve"  # say that it is over, or take it out of sight
    RULE_EDIT = "rule_edit"
    NOTIFY_EDIT = "notify_edit"  # who is told of what, and whether it arrived; the addresses are for nobody below
    CHANNEL_EDIT = "channel_edit"  # by which ways people are reached: what the server calls, and with which secrets
    OPERATOR_ADD = "operator_add"  # and change: whoever is below a manager
    ACCOUNT_MANAGE = "account_manage"
    KEY_MANAGE = "key_manage"
    SYNC_LAKE = "sync_lake"


class Grant(NamedTuple):
    """Who may do one action; `above_only` asks for a caller above tenants besides."""

    roles: frozenset[Role]
    scopes: frozenset[Scope]
    above_only: bool = False


def _grant(roles: set[Role], scopes: set[Scope], *, above_only: bool = False) -> Grant:
    return Grant(frozenset(roles), frozenset(scopes), above_only)


_V, _O, _M, _A = Role.VIEWER, Role.OPERATOR, Role.MANAGER, Role.ADMIN

# A superuser counts as an admin who stands above tenants.
# fmt: off
MATRIX: Mapping[Action, Grant] = {
    #                              roles of people   scopes of keys
    Action.READ:           _grant({_V, _O, _M, _A}, {Scope.READ,               Scope.ADMIN}),
    Action.INGEST:         _grant({        _M, _A}, {            Scope.INGEST, Scope.ADMIN}),
    Action.STATUS_UPDATE:  _grant({    _O, _M, _A}, {            Scope.INGEST, Scope.ADMIN}),
    Action.FOLLOW:         _grant({_V, _O, _M, _A}, {Scope.READ, Scope.INGEST, Scope.ADMIN}),
    Action.ASSET_EDIT:     _grant({        _M, _A}, {                          Scope.ADMIN}),
    Action.ALERT_ACT:      _grant({    _O, _M, _A}, {                          Scope.ADMIN}),
    Action.ALERT_RESOLVE:  _grant({        _M, _A}, {                          Scope.ADMIN}),
    Action.RULE_EDIT:      _grant({        _M, _A}, {                          Scope.ADMIN}),
    Action.NOTIFY_EDIT:    _grant({        _M, _A}, {                          Scope.ADMIN}),
    Action.CHANNEL_EDIT:   _grant({            _A}, {                          Scope.ADMIN}),
    Action.OPERATOR_ADD:   _grant({        _M, _A}, {                          Scope.ADMIN}),
    Action.ACCOUNT_MANAGE: _grant({            _A}, {                          Scope.ADMIN}),
    Action.KEY_MANAGE:     _grant({            _A}, {                          Scope.ADMIN}),
    Action.SYNC_LAKE:      _grant({            _A}, {            Scope.INGEST, Scope.ADMIN}, above_only=True),
}
# fmt: on
