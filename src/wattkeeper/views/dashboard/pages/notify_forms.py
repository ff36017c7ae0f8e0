"""The forms of a channel, whose fields its type declares, and of a route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import (
    BooleanField,
    CharField,
    ChoiceField,
    Field,
    Form,
    IntegerField,
    PasswordInput,
    Textarea,
    TimeField,
    TimeInput,
    TypedChoiceField,
)

from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import Level
from wattkeeper.flow.notify.channel_fields import channel_check
from wattkeeper.flow.notify.channel_settings import PREFIX
from wattkeeper.flow.notify.channels.declared import ChannelType, SettingField, Settings
from wattkeeper.flow.notify.models import LONGEST_NAME, NotifyChannel, Route
from wattkeeper.flow.notify.route_fields import GROUP_SECONDS_MOST, REPEAT_MINUTES_MOST, RouteFields, fields_of
from wattkeeper.views.dashboard.route_words import levels_text

_STAYS = "hx-preserve"  # of an input that the browser keeps as it is where the form is shown again
FORGET = "forget."  # before the name of a secret that need not be there


class ChannelForm(Form):
    """`kind` None: nobody knows its type any more, and only its name can be changed.

    No secret is ever sent back, neither one that is kept nor one that was just typed: where the form is shown again, a
    secret with nothing wrong about it is marked, so that the browser keeps the input that it has.
    """

    name = CharField(max_length=LONGEST_NAME, help_text="Who is reached by it, such as “Night shift”.")

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        tenant_id: int,
        kind: ChannelType | None,
        channel: NotifyChannel | None = None,
    ) -> None:
        kept: Settings = channel.settings if channel else {}
        super().__init__(data, initial={"name": channel.name if channel else ""})
        self._tenant_id, self._kind, self._channel = tenant_id, kind, channel
        self._declared = kind.fields if kind else ()
        for declared in self._declared:
            self.fields[PREFIX + declared.name] = _field(declared, kept)
            if declared.is_secret and not declared.required and kept.get(declared.name):
                forget = BooleanField(required=False, label=f"Forget: {declared.label}")
                self.fields[FORGET + declared.name] = forget

    def clean(self) -> dict[str, Any]:
        """Everything that is wrong is said at once, also where a field by itself is wrong already."""
        try:
            channel_check(
                self._kind,
                tenant_id=self._tenant_id,
                name=self.cleaned_data.get("name"),
                settings=self.settings(),
                before=self._channel,
            )
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                if not self.has_error(name):
                    self.add_error(name if name in self.fields else None, messages)
        for declared in self._declared:
            if declared.is_secret and self.has_error(PREFIX + declared.name):
                self.fields[PREFIX + declared.name].widget.attrs.pop(_STAYS)
        return self.cleaned_data

    def settings(self) -> dict[str, Any]:
        """What the form says. A secret that it says nothing of stays as it is, so it is left out."""
        said: dict[str, Any] = {}
        for declared in self._declared:
            text = self.cleaned_data.get(PREFIX + declared.name, "")
            if declared.is_list:
                said[declared.name] = text.splitlines()
            elif not declared.is_secret or text:
                said[declared.name] = text
            elif self.cleaned_data.get(FORGET + declared.name):
                said[declared.name] = None
        return said


def _field(declared: SettingField, kept: Settings) -> Field:
    value, label, required = kept.get(declared.name), declared.label, declared.required
    if declared.is_secret:
        # What is wrong beside it must not bring it back into the page, so it is not rendered again.
        # htmx looks for what stays by an id without a dot in it.
        attrs = {"autocomplete": "new-password", "id": f"id_settings_{declared.name}", _STAYS: True}
        widget = PasswordInput(render_value=False, attrs=attrs)
        stays = f"It is set; leave this empty to keep it. {declared.help}".strip()
        return CharField(
            label=label, required=required and not value, widget=widget, help_text=stays if value else declared.help
        )
    if declared.choices:
        nothing = () if required else (("", "\N{EN DASH}"),)
        return ChoiceField(
            label=label,
            required=required,
            help_text=declared.help,
            choices=(*nothing, *declared.choices),
            initial=value,
        )
    if declared.is_list:
        area = Textarea(attrs={"rows": 3, "spellcheck": "false"})
        help_text = f"One a line. {declared.help}".strip()
        initial = "\n".join(value or ())
        return CharField(label=label, required=required, help_text=help_text, widget=area, initial=initial)
    return CharField(label=label, required=required, help_text=declared.help, initial=value)


_LEVELS = [(level.value, levels_text(level).capitalize()) for level in Level]


def _time(label: str, help_text: str = "") -> TimeField:
    widget = TimeInput(format="%H:%M", attrs={"type": "time"})
    return TimeField(required=False, label=label, widget=widget, help_text=help_text)


class RouteForm(Form):
    """Times are in the zone of the tenant."""

    channel_id = TypedChoiceField(coerce=int, label="Through")
    name = CharField(max_length=LONGEST_NAME, required=False, help_text="Where there are several alike.")
    least_level = ChoiceField(choices=_LEVELS, label="How bad")
    kind = ChoiceField(required=False, label="Of which things")
    site = ChoiceField(required=False, label="At which site")
    tells_cleared = BooleanField(required=False, label="Say, too, when it is over")
    group_seconds = IntegerField(
        min_value=0,
        max_value=GROUP_SECONDS_MOST,
        label="Seconds to gather",
        help_text="What comes within so long is one message; 0: it is told at once. What is "
        "critical does not wait, but in a storm of it for at most 30 s.",
    )
    repeat_minutes = IntegerField(
        min_value=0,
        max_value=REPEAT_MINUTES_MOST,
        label="Minutes before it is told again",
        help_text="And again, until somebody acknowledges it or it is over; 0: only once.",
    )
    quiet_from = _time("Quiet from")
    quiet_until = _time("Quiet until")
    quiet_level = ChoiceField(
        choices=_LEVELS, label="Told all the same", help_text="The rest waits for the end of the quiet hours."
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        channels: Sequence[NotifyChannel],
        sites: Sequence[str],
        zone: str,
        route: Route | None = None,
        channel: str = "",
    ) -> None:
        first = next((one.pk for one in channels if str(one.pk) == channel), channels[0].pk if channels else 0)
        blank = RouteFields(channel_id=first)
        super().__init__(data, initial=asdict(fields_of(route) if route else blank))
        there = dict.fromkeys((*sites, *([route.site] if route and route.site else ())))
        self._offer("channel_id", [(str(one.pk), one.name) for one in channels])
        self._offer("kind", [("", "everything"), *((kind.name, kind.label_plural) for kind in registry.kinds())])
        self._offer("site", [("", "every site"), *((site, site) for site in there)])
        self.fields["quiet_from"].help_text = f"Times of {zone}. They may go over midnight; empty: never quiet."

    def route_fields(self, *, enabled: bool) -> RouteFields:
        """What the form says."""
        return RouteFields(**self.cleaned_data, enabled=enabled)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, ChoiceField)
        field.choices = choices
