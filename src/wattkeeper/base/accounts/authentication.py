"""The API's door for keys. Sessions and JWTs have REST framework's and simplejwt's."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.accounts.keys import key_caller

KEYWORD = "Api-Key"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key wk_...`.

    A key is no person: `request.user` stays anonymous, and `request.auth` is the Caller.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Caller] | None:
        keyword, _, secret = get_authorization_header(request).decode("latin-1").strip().partition(" ")
        if keyword.lower() != KEYWORD.lower():
            return None
        caller = key_caller(secret.strip())
        if caller is None:
            raise AuthenticationFailed("This API key is wrong or revoked.")
        return AnonymousUser(), caller

    def authenticate_header(self, request: Request) -> str:
        """The presence of this makes a request without credentials a 401 instead of a 403."""
        return f'{KEYWORD} realm="api"'
