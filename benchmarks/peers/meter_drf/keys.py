from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class KeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[SimpleNamespace, object] | None:
        from benchmarks.peers.meter_drf.models import ApiKey

        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Api-Key":
            return None
        key = ApiKey.objects.filter(digest=sha256(secret.encode()).hexdigest(), is_active=True).first()
        if key is None:
            raise AuthenticationFailed
        return SimpleNamespace(is_authenticated=True), key
