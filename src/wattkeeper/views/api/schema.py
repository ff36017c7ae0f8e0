"""What OpenAPI says that it cannot see for itself: the names of a stream's operations, the house's own door, and what
holds for every operation."""

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


FAILED = "What is wrong, by field, or as `detail`."
_JSON = "application/json"
_SCHEMA = {
    "type": "object",
    "description": "`detail` is a sentence about the whole; under a field's name stand those about the field.",
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": True,
    "minProperties": 1,
}
# By their names in `components`; of those with a status, REST framework answers them before a view is asked.
_RESPONSES = {
    "Failure": FAILED,
    "NotAcceptable": "`Accept` leaves out JSON.",
    "TooLarge": "The body is too large.",
    "UnsupportedMediaType": "The body is of a type that is not read here.",
}


def house_rules(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """What holds for every operation: a query parameter without a value counts as absent, a failure has a JSON body,
    and some failures come before the operation is asked."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Failure"] = _SCHEMA
    components["responses"] = {name: _failure(description) for name, description in _RESPONSES.items()}
    for methods in result["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and not parameter.get("required"):
                    parameter["allowEmptyValue"] = True
            operation["responses"] = dict(sorted(_with_failures(operation).items()))
    return result


def _with_failures(operation: dict[str, Any]) -> dict[str, Any]:
    responses = operation["responses"]
    found = {status: answer for status, answer in responses.items() if status < "400"}
    for status, answer in responses.items():
        if status >= "400":
            named = answer["description"] == FAILED
            found[status] = _reference("Failure") if named else {**_failure(answer["description"]), **answer}
    if "requestBody" in operation:
        found.setdefault("413", _reference("TooLarge"))
        found.setdefault("415", _reference("UnsupportedMediaType"))
    if all(answer.get("content", {}).keys() == {_JSON} for answer in found.values() if "$ref" not in answer):
        found.setdefault("406", _reference("NotAcceptable"))  # what answers with a file does not look at `Accept`
    return found


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{name}"}


def _failure(description: str) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Failure"}}}}
