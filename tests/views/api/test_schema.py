from __future__ import annotations

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def test_the_description_of_the_api_is_valid() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    validate_schema(schema)
    assert {"/user/login/", "/user/token/refresh/"} <= set(schema["paths"])
    assert schema["paths"]["/user/login/"]["post"]["responses"].keys() >= {"200", "400", "401", "429"}


def test_a_closed_endpoint_says_how_to_get_in() -> None:
    schema = SchemaGenerator(urlconf="tests.access.leaky_urls").get_schema(request=None, public=True)
    assert {"apiKey", "jwtAuth", "cookieAuth"} <= set(schema["components"]["securitySchemes"])
