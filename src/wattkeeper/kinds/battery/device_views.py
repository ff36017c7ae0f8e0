"""The devices that hold batteries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wattkeeper.base.accounts.callers import Caller, caller_of, tenant_for_write
from wattkeeper.base.accounts.permissions import Action
from wattkeeper.base.core.errors import NotFoundError
from wattkeeper.kinds.battery import queries
from wattkeeper.kinds.battery.actions import device_add, device_change, device_remove
from wattkeeper.kinds.battery.models import Device, DeviceType
from wattkeeper.kinds.battery.serializers import DeviceSerializer, DeviceStatusSerializer
from wattkeeper.views.api.lists import list_response
from wattkeeper.views.api.parameters import one_of, sort_of, tenant_filter, text, truth, whole


class DeviceList(APIView):
    """GET a page of the devices; POST a new one."""

    is_list = True
    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ, "POST": Action.ASSET_EDIT}

    def get(self, request: Request) -> Response:
        asked = queries.devices_asked(
            tenant_filter(request, caller_of(request)),
            search=text(request, "search"),
            type=one_of(text(request, "device_type"), DeviceType.values, "device_type"),
            is_active=truth(text(request, "is_active"), "is_active"),
            battery_id=whole(request, "battery", default=0, least=1, most=10**12 - 1) or None,
            ordering=sort_of(request, queries.DEVICE_ORDERINGS),
        )
        return list_response(request, asked, DeviceSerializer)

    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        serializer = DeviceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        tenant = tenant_for_write(caller, request.query_params.get("tenant"))
        made = device_add(tenant=tenant, values=serializer.validated_data, actor=caller.identity)
        return Response(_answer(caller, made.pk), status=status.HTTP_201_CREATED)


class DeviceDetail(APIView):
    """GET one device; PUT and PATCH some of its fields; DELETE forgets it."""

    actions: ClassVar[Mapping[str, Action]] = {
        "GET": Action.READ,
        "PUT": Action.ASSET_EDIT,
        "PATCH": Action.ASSET_EDIT,
        "DELETE": Action.ASSET_EDIT,
    }

    def get(self, request: Request, device_id: int) -> Response:
        return Response(_answer(caller_of(request), device_id))

    def put(self, request: Request, device_id: int) -> Response:
        caller = caller_of(request)
        device = _device_of(caller, device_id)
        serializer = DeviceSerializer(device, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        device_change(device, values=serializer.validated_data, actor=caller.identity)
        return Response(_answer(caller, device_id))

    def patch(self, request: Request, device_id: int) -> Response:
        return self.put(request, device_id)

    def delete(self, request: Request, device_id: int) -> Response:
        caller = caller_of(request)
        device_remove(_device_of(caller, device_id), actor=caller.identity)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeviceStatus(APIView):
    """GET a device with what its batteries do now."""

    actions: ClassVar[Mapping[str, Action]] = {"GET": Action.READ}

    def get(self, request: Request, device_id: int) -> Response:
        return Response(DeviceStatusSerializer(_device_of(caller_of(request), device_id)).data)


def _device_of(caller: Caller, device_id: int) -> Device:
    found = queries.device_by_id(device_id, tenant_id=caller.tenant_id)
    if found is None:
        raise NotFoundError("There is no such device.")
    return found


def _answer(caller: Caller, device_id: int) -> Any:
    return DeviceSerializer(_device_of(caller, device_id)).data
