"""What can be wrong with a channel as people write it: all of it at once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from wattkeeper.base.core.texts import text_trouble
from wattkeeper.flow.notify.channel_settings import settings_checked
from wattkeeper.flow.notify.channels.declared import ChannelType, Settings
from wattkeeper.flow.notify.models import LONGEST_NAME, NotifyChannel


def channel_check(
    kind: ChannelType | None,
    *,
    tenant_id: int,
    name: str | None,
    settings: Settings | None,
    before: NotifyChannel | None = None,
) -> dict[str, Any]:
    """The settings as they are kept, of what is given; ValidationError by field where a channel of that tenant cannot
    be so, of a setting as `settings.NAME`. `before` is what it was, which keeps what is not given."""
    errors: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    if name is not None and (before is None or name.strip() != before.name):
        errors |= _wrong_name(name, tenant_id=tenant_id)
    if kind is not None and settings is not None:
        try:
            kept = settings_checked(kind, settings, before=before.settings if before else None)
        except ValidationError as error:
            errors |= error.message_dict
    if errors:
        raise ValidationError(errors)
    return kept


def _wrong_name(name: str, *, tenant_id: int) -> dict[str, Any]:
    """What is wrong with a channel's name that is not its own yet."""
    text = name.strip()
    if not text:
        return {"name": "Give it a name."}
    if len(text) > LONGEST_NAME:
        return {"name": f"At most {LONGEST_NAME} characters."}
    if "\0" in text:
        return {"name": "Null characters are not allowed."}
    if trouble := text_trouble(text):
        return {"name": trouble}
    if NotifyChannel.objects.filter(tenant_id=tenant_id, name=text, removed_at=None).exists():
        return {"name": "There is a channel of that name already."}
    return {}
