"""Where a name and a password become tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150, write_only=True)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class TokensSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class RefreshSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=4096, write_only=True)


class AccessSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()


WRONG = OpenApiResponse(description="Wrong credentials: `detail`.")


class OpenView(APIView):
    """A door that asks for no credentials, because it is where one gets them."""

    authentication_classes = ()
    permission_classes = ()

    def get_authenticate_header(self, request: Request) -> str:
        # Without one REST framework would answer wrong credentials with a 403.
        return 'Bearer realm="api"'


class LoginView(OpenView):
    @extend_schema(
        request=CredentialsSerializer,
        responses={
            200: TokensSerializer,
            400: OpenApiResponse(description="Field errors."),
            401: WRONG,
            429: OpenApiResponse(description="Too many wrong passwords; see Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        """Tokens for a username and a password."""
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        # Django's own request: on it django-axes marks who has guessed too often, and its middleware, which
        # answers then, knows no other.
        asked = request._request
        user = authenticate(asked, **credentials.validated_data)
        if user is None:
            raise AuthenticationFailed("No active account with this name and password.")
        user_logged_in.send(sender=type(user), request=asked, user=user)
        refresh = RefreshToken.for_user(user)
        return Response({"access": str(refresh.access_token), "refresh": str(refresh)})


class TokenRefreshView(OpenView):
    @extend_schema(
        request=RefreshSerializer,
        responses={200: AccessSerializer, 400: OpenApiResponse(description="Field errors."), 401: WRONG},
    )
    def post(self, request: Request) -> Response:
        """A new access token, as long as the user is there, active, and has the same password."""
        asked = RefreshSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            refresh = RefreshToken(asked.validated_data["refresh"])
        except TokenError as error:
            raise AuthenticationFailed(str(error)) from None
        JWTAuthentication().get_user(refresh)
        return Response({"access": str(refresh.access_token)})
