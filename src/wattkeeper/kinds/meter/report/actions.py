"""The one door for changes to reports: a month is closed, or opened again."""

from __future__ import annotations

from hashlib import sha256

from django.db import IntegrityError, transaction

from wattkeeper.base.accounts.actions import audit_add
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.zones import site_zones
from wattkeeper.base.core import clock
from wattkeeper.base.core.errors import ConflictError, NotFoundError
from wattkeeper.kinds.meter.models import FrozenMonth
from wattkeeper.kinds.meter.report.messages import month_lines
from wattkeeper.kinds.meter.report.months import Month
from wattkeeper.kinds.meter.report.queries import frozen_month
from wattkeeper.kinds.meter.report.snapshot import content_of


def month_freeze(*, tenant: Tenant, month: Month, by: str) -> FrozenMonth:
    """Keep the month's report as it is now.

    ConflictError where it is frozen already, or is not over at all of the tenant's sites; NotFoundError where no
    meter has spoken in it.
    """
    moment = clock.now()
    if frozen_month(tenant.pk, month):
        raise _frozen(month)
    lines = month_lines(tenant.pk, month=month, now=moment, all_pairs=True)
    if not lines:
        raise NotFoundError(f"There is no message of {month}.")
    if not month.is_over(site_zones(tenant.pk).all, now=moment):
        raise ConflictError(f"{month} is not over at all sites.")
    frozen = FrozenMonth(
        tenant=tenant,
        month=month.first_day,
        frozen_at=moment,  # what came while the report was made may be in it, and counts as late all the same
        frozen_by=by,
        devices=len(lines),
        rows=sum(max(len(line.pairs), 1) for line in lines),
        content=content_of(lines),
    )
    try:
        with transaction.atomic():
            frozen.save(force_insert=True)
            _audit(frozen, actor=by, action="month_freeze")
    except IntegrityError:
        raise _frozen(month) from None
    return frozen


@transaction.atomic
def month_unfreeze(*, tenant: Tenant, month: Month, by: str) -> None:
    """Let the month's report follow its messages again. NotFoundError where it is not frozen."""
    frozen = frozen_month(tenant.pk, month)
    if frozen is None or not FrozenMonth.objects.filter(pk=frozen.pk).delete()[0]:
        raise NotFoundError(f"{month} is not frozen.")
    _audit(frozen, actor=by, action="month_unfreeze")


def _audit(frozen: FrozenMonth, *, actor: str, action: str) -> None:
    detail = {
        "frozen_at": frozen.frozen_at.isoformat(),
        "frozen_by": frozen.frozen_by,
        "devices": frozen.devices,
        "rows": frozen.rows,
        "sha256": sha256(bytes(frozen.content)).hexdigest(),
    }
    target = f"month:{frozen.month:%Y-%m} of meters"
    audit_add(tenant=frozen.tenant, actor=actor, action=action, target=target, detail=detail)


def _frozen(month: Month) -> ConflictError:
    return ConflictError(f"{month} is frozen already.")
