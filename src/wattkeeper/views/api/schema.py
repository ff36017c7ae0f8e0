"""What OpenAPI says that it cannot see for itself: the names of a stream's operations, and the house's own door."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "wattkeeper.base.accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key wk_...`, as printed by `wattkeeper key add`.",
        }


class StreamSchema(AutoSchema):
    """A stream's list is called so, and its operations stand together."""

    def get_operation_id(self) -> str:
        name = str(super().get_operation_id())
        if getattr(self.view, "is_list", False) and self.method == "GET":
            return name.removesuffix("_retrieve") + "_list"
        return name

    def get_tags(self) -> list[str]:
        stream = getattr(self.view, "stream", None)
        return [stream.label] if stream else list(super().get_tags())
