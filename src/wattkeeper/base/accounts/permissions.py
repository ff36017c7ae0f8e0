"""The matrix at the API's doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from wattkeeper.base.accounts.callers import caller_of
from wattkeeper.base.accounts.matrix import MATRIX, Action, Grant, Role, Scope

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, by way of the settings

__all__ = ["MATRIX", "Action", "Grant", "MayAct", "Role", "Scope"]


class MayAct(BasePermission):
    """Lets a caller do what the view says that its methods do.

    `actions = {"GET": Action.READ, "POST": Action.INGEST}`

    HEAD and OPTIONS are like GET. A method without an action is closed, and so is a view without `actions`.
    """

    message = "You may not do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = caller_of(request)
        if not caller.is_known:
            return False
        method = "GET" if request.method in {"HEAD", "OPTIONS"} else str(request.method)
        declared: Mapping[str, Action] = getattr(view, "actions", {})
        if method in declared:
            return caller.may(declared[method])
        # What the view cannot do at all is a 405, which comes after this.
        return request.method not in view.allowed_methods
