from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.peers.meter_drf.models import Message


class RecordSerializer(serializers.Serializer[Any]):
    value = serializers.JSONField()
    tariff = serializers.IntegerField()
    subunit = serializers.IntegerField()
    dimension = serializers.CharField()
    storagenr = serializers.IntegerField()


class DeviceSerializer(serializers.Serializer[Any]):
    type = serializers.IntegerField()
    status = serializers.IntegerField()
    identnr = serializers.IntegerField()
    version = serializers.IntegerField()
    accessnr = serializers.IntegerField()
    manufacturer = serializers.IntegerField()


class MessageSerializer(serializers.Serializer[Message]):
    data = RecordSerializer(many=True)
    device = DeviceSerializer()

    def create(self, validated_data: dict[str, Any]) -> Message:
        return Message.objects.create(data=validated_data["data"], **validated_data["device"])


class MessageView(APIView):
    def post(self, request: Request) -> Response:
        serializer = MessageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        message = serializer.save()
        return Response({"message": "Message received successfully", "id": message.pk}, status=status.HTTP_201_CREATED)


urlpatterns = [path("data/", MessageView.as_view())]
