"""Who is told in the demo: an address that cannot exist, so that its mail stands in the server's log."""

from __future__ import annotations

from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.config.demo.people import SENDER, TENANT
from wattkeeper.flow.notify.actions import channel_add, route_add
from wattkeeper.flow.notify.models import NotifyChannel
from wattkeeper.flow.notify.route_fields import RouteFields

ADDRESS = "shift@demo.invalid"


def notifications_make() -> None:
    """A channel, and a route for what is bad; not where somebody has made or removed one already."""
    tenant = Tenant.objects.get(slug=TENANT)
    if NotifyChannel.objects.filter(tenant=tenant).exists():
        return
    shift = channel_add(tenant=tenant, type="email", name="Shift", settings={"recipients": [ADDRESS]}, actor=SENDER)
    route_add(tenant=tenant, fields=RouteFields(channel_id=shift.pk, least_level=Level.ERROR.value), actor=SENDER)
