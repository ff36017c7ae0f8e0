"""What is asked about batteries and devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import F, Prefetch, Q, QuerySet

from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.queries import assets_of_kind, known_first
from wattkeeper.kinds.battery.models import Battery, Device
from wattkeeper.kinds.battery.streams import NAMEPLATE, STATUS

BATTERY_ORDERINGS = ("current_charge", "health_percentage", "created_at")
DEVICE_ORDERINGS = ("device_name", "serial_number", "created_at", "last_checked")

_NAMEPLATE = tuple(channel.name for channel in NAMEPLATE)


def nameplates_of(asset_ids: Sequence[int]) -> Mapping[int, Mapping[str, float | None]]:
    """The nameplates of those batteries, by asset id; of each a value for every channel of NAMEPLATE."""
    rows = Battery.objects.filter(pk__in=asset_ids).values_list("pk", *_NAMEPLATE)
    return {pk: dict(zip(_NAMEPLATE, values, strict=True)) for pk, *values in rows}


def batteries_of(tenant_id: int | None) -> QuerySet[Asset]:
    """The batteries in use (tenant None: of all) with nameplate and state, in the order of their ids."""
    found = assets_of_kind(STATUS.kind, tenant_id=tenant_id)
    return found.select_related("battery", "battery_state").order_by("pk")


def batteries_asked(
    tenant_id: int | None, *, search: str = "", type: str = "", status: str = "", ordering: str = ""
) -> QuerySet[Asset]:
    """Those whose serial number or type has `search` in it, of that type, in that status.

    `ordering` is one of BATTERY_ORDERINGS, with `-` for descending; what is not known comes last.
    """
    found = batteries_of(tenant_id)
    if search:
        found = found.filter(Q(key__icontains=search) | Q(type__icontains=search))
    if type:
        found = found.filter(type=type)
    if status:
        found = found.filter(battery_state__current_status=status)
    if ordering:
        column = ordering.removeprefix("-")
        by = F(column if column == "created_at" else f"battery_state__{column}")
        found = found.order_by(known_first(by, descending=ordering.startswith("-")), "pk")
    return found


def battery_by_id(pk: int, *, tenant_id: int | None) -> Asset | None:
    """The battery in use of that id, if the tenant (None: any) has it."""
    return batteries_of(tenant_id).select_related("tenant").filter(pk=pk).first()


def battery_ids_among(pks: Sequence[int], *, tenant_id: int) -> set[int]:
    """Which of those are the tenant's batteries in use."""
    return set(assets_of_kind(STATUS.kind, tenant_id=tenant_id).filter(pk__in=pks).values_list("pk", flat=True))


def devices_of(tenant_id: int | None) -> QuerySet[Device]:
    """The devices (tenant None: of all) with the batteries in use that they hold, in the order of their ids."""
    held = Battery.objects.filter(asset__archived_at=None).select_related("asset__battery_state").order_by("pk")
    devices = Device.objects.select_related("tenant").prefetch_related(Prefetch("batteries", held)).order_by("pk")
    return devices if tenant_id is None else devices.filter(tenant_id=tenant_id)


def devices_asked(
    tenant_id: int | None,
    *,
    search: str = "",
    type: str = "",
    is_active: bool | None = None,
    battery_id: int | None = None,
    ordering: str = "",
) -> QuerySet[Device]:
    """Those whose name or serial number has `search` in it; `ordering` is one of DEVICE_ORDERINGS."""
    found = devices_of(tenant_id)
    if search:
        found = found.filter(Q(device_name__icontains=search) | Q(serial_number__icontains=search))
    if type:
        found = found.filter(device_type=type)
    if is_active is not None:
        found = found.filter(is_active=is_active)
    if battery_id is not None:
        found = found.filter(batteries=battery_id)
    return found.order_by(ordering, "pk") if ordering else found


def devices_holding(battery_id: int) -> list[Device]:
    """The devices that hold the battery, those in use first, by name; `others`: the batteries that each holds, too."""
    others = (
        Battery.objects.filter(asset__archived_at=None).exclude(pk=battery_id).select_related("asset").order_by("pk")
    )
    devices = Device.objects.filter(batteries=battery_id).order_by("-is_active", "device_name", "pk")
    return list(devices.prefetch_related(Prefetch("batteries", others, to_attr="others")))


def device_by_id(pk: int, *, tenant_id: int | None) -> Device | None:
    """The device of that id, if the tenant (None: any) has it."""
    return devices_of(tenant_id).filter(pk=pk).first()
