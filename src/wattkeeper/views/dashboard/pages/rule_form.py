"""The form of a rule. Which of its fields there are to see depends on what stands in the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.forms import (
    BooleanField,
    CharField,
    ChoiceField,
    Field,
    FloatField,
    Form,
    HiddenInput,
    IntegerField,
    Select,
    Textarea,
)

from wattkeeper.base.assets.queries import ids_of
from wattkeeper.base.catalog.alerting import USUAL_INTERVAL, Condition, Level
from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.expressions import LONGEST as LONGEST_LIMIT
from wattkeeper.flow.rules.expressions import LimitError, limit_parse
from wattkeeper.flow.rules.fields import LONGEST_DELAY_SECONDS, LONGEST_TYPE, RuleFields
from wattkeeper.flow.rules.models import LONGEST_NAME, LONGEST_TEXT
from wattkeeper.flow.rules.vocabulary import GUARD_CONDITIONS, channels_of, conditions_of, relative_to

SAYS = {
    Condition.ABOVE: "is above",
    Condition.BELOW: "is below",
    Condition.OUTSIDE: "is outside",
    Condition.EQUALS: "is",
    Condition.CHANGES: "changes faster than",
    Condition.SILENT: "nothing is heard of it for",
}
RESHAPES = ("channel", "condition", "while_channel", "while_condition")
BLANK = {"level": Level.WARNING.value, "deadband": 0, "on_delay_seconds": 0, "off_delay_seconds": 0}
_PLAIN = (
    "name",
    "type",
    "deadband",
    "on_delay_seconds",
    "off_delay_seconds",
    "level",
    "alert_type",
    "text",
    "makes_work",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a rule asks by now, and so which fields it has."""

    channel: Channel | None
    condition: Condition
    guard: Channel | None
    guard_condition: Condition

    @property
    def is_silence(self) -> bool:
        return self.condition is Condition.SILENT

    @property
    def limits(self) -> tuple[str, ...]:
        return ("low", "high") if self.condition is Condition.OUTSIDE else ("limit",)

    @property
    def fields(self) -> set[str]:
        """Those that there are only sometimes, and are there now."""
        shown = set(self.limits)
        if self.is_silence:
            return shown
        shown |= {"channel", "while_channel"}
        if self.channel is not None and self.channel.is_numeric:
            shown.add("deadband")
        if self.guard is not None:
            shown |= {"while_condition", "while_limit"}
        return shown

    @property
    def unit(self) -> str:
        """In which the limit is."""
        if self.is_silence:
            return "s"
        unit = self.channel.unit.value if self.channel else ""
        return f"{unit} a minute".strip() if self.condition is Condition.CHANGES else unit


_SOMETIMES = ("channel", "limit", "low", "high", "deadband", "while_channel", "while_condition", "while_limit")
_OPTIONAL = ("while_channel",)


class RuleForm(Form):
    """Bound to what was sent, or filled with `initial`. What belongs to another condition is hidden, and kept."""

    name = CharField(max_length=LONGEST_NAME)
    channel = ChoiceField(required=False)
    condition = ChoiceField()
    limit = CharField(max_length=LONGEST_LIMIT, required=False)
    low = CharField(max_length=LONGEST_LIMIT, required=False, label="From")
    high = CharField(max_length=LONGEST_LIMIT, required=False, label="To")
    deadband = FloatField(required=False, min_value=0)
    while_channel = ChoiceField(required=False, label="Only while")
    while_condition = ChoiceField(required=False, label="While it")
    while_limit = CharField(max_length=LONGEST_LIMIT, required=False, label="While limit")
    on_delay_seconds = IntegerField(
        min_value=0,
        max_value=LONGEST_DELAY_SECONDS,
        label="Seconds before it opens",
        help_text="So long it must be so without a break.",
    )
    off_delay_seconds = IntegerField(
        min_value=0,
        max_value=LONGEST_DELAY_SECONDS,
        label="Seconds before it closes",
        help_text="So long it must be clear without a break.",
    )
    level = ChoiceField(choices=[(level.value, level.value.capitalize()) for level in Level])
    alert_type = ChoiceField(label="Alert type")
    type = CharField(max_length=LONGEST_TYPE, required=False, label="Only of this type")
    asset = CharField(max_length=200, required=False)
    text = CharField(
        max_length=LONGEST_TEXT,
        required=False,
        label="What to do about it",
        widget=Textarea(attrs={"rows": 3}),
    )
    makes_work = BooleanField(required=False, label="Makes a task for somebody")

    def __init__(
        self, data: Mapping[str, Any] | None, *, kind: Kind, initial: Mapping[str, Any], tenant_id: int
    ) -> None:
        self.kind, self._tenant_id = kind, tenant_id
        self.shape = shape_of(kind, initial if data is None else data)
        usual = _usual_alert_type(kind, None if self.shape.is_silence else self.shape.channel)
        super().__init__(data, initial={**initial, "alert_type": initial.get("alert_type") or usual})
        self._offer()
        self._label()
        for name in _SOMETIMES:
            if name not in self.shape.fields:
                self.fields[name].widget = HiddenInput()
            elif name not in _OPTIONAL:
                self.fields[name].required = True

    def ask_at(self, address: str) -> None:
        """Where a page asks for the form's fields once more, when a choice changes which there are."""
        for name in RESHAPES:
            self.fields[name].widget.attrs["hx-get"] = address

    def clean_asset(self) -> int | None:
        """Its id; people name the thing by its key."""
        key = self.cleaned_data["asset"].strip()
        if not key:
            return None
        found = ids_of(tenant_id=self._tenant_id, kind=self.kind.name, keys=[key]) if "\0" not in key else {}
        if key not in found:
            raise ValidationError(f"There is no such {self.kind.label.lower()}.")
        return found[key]

    def rule_fields(self, *, enabled: bool) -> RuleFields:
        """What the form says, without what belongs to another condition."""
        told, shown = self.cleaned_data, self.shape.fields
        sometimes = {name: told[name] for name in _SOMETIMES if name in shown and name != "deadband"}
        plain = {name: told[name] for name in _PLAIN if name != "deadband"}
        return RuleFields(
            **{**plain, **sometimes},
            kind=self.kind.name,
            asset_id=told["asset"],
            condition=self.shape.condition.value,
            deadband=told["deadband"] if "deadband" in shown else 0.0,
            enabled=enabled,
        )

    def _offer(self) -> None:
        """The choices that there are by now."""
        shape, channels = self.shape, channels_of(self.kind).values()
        named = [(channel.name, channel.label) for channel in channels]
        possible = conditions_of(shape.channel) if shape.channel else tuple(Condition)
        self._choices("channel", named)
        self._choices("condition", [(one.value, SAYS[one]) for one in dict.fromkeys((*possible, Condition.SILENT))])
        self._choices("while_channel", [("", "always"), *named])
        guards = conditions_of(shape.guard) if shape.guard else GUARD_CONDITIONS
        self._choices("while_condition", [(one.value, SAYS[one]) for one in GUARD_CONDITIONS if one in guards])
        self._choices(
            "alert_type", [(one.value, one.value.replace("_", " ").capitalize()) for one in self.kind.alert_types]
        )
        for name, channel in (("limit", shape.channel), ("while_limit", shape.guard)):
            if channel is not None and channel.choices and not (name == "limit" and shape.is_silence):
                self.fields[name].widget = Select(choices=[(text, text) for text in channel.choices])

    def _label(self) -> None:
        """The fields in the words and units of what the rule asks."""
        shape, fields = self.shape, self.fields
        suffix = f" ({shape.unit})" if shape.unit else ""
        fields["limit"].label = f"Limit{suffix}"
        fields["low"].label, fields["high"].label = f"From{suffix}", f"To{suffix}"
        unit = f" ({shape.channel.unit.value})" if shape.channel and shape.channel.unit.value else ""
        fields["deadband"].label = f"Deadband{unit}"
        fields["deadband"].help_text = "So far inside its limit a value must be to be clear of it."
        if shape.guard is not None and shape.guard.unit.value:
            fields["while_limit"].label = f"Limit of that ({shape.guard.unit.value})"
        fields["asset"].label = f"Only this {self.kind.label.lower()}"
        fields["asset"].help_text = "Its id; empty: all of them."
        for name, channel in ((shape.limits[-1], shape.channel), ("while_limit", shape.guard)):
            if channel is not None and channel.words and not (shape.is_silence and name in shape.limits):
                fields[name].help_text = ", ".join(f"{number}: {word}" for number, word in channel.words)
        if self.hints:
            times = "3" if shape.is_silence else "0.8"
            fields[shape.limits[-1]].help_text = f"A number, or such as {times} * {self.hints[0][0]}."

    @property
    def hints(self) -> list[tuple[str, str]]:
        """What a limit may be so many times of, where that makes sense: the word for it, and what that is."""
        if self.shape.is_silence:
            return [(USUAL_INTERVAL, "how often the thing is usually heard of")]
        channel = self.shape.channel
        if channel is not None and channel.words:
            return []
        alike = (field for field in self.kind.nameplate if channel is not None and field.unit is channel.unit)
        return [(field.name, field.title) for field in alike] if channel is not None and channel.is_numeric else []

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Field = self.fields[name]
        assert isinstance(field, ChoiceField)
        field.choices = choices


def shape_of(kind: Kind, said: Mapping[str, Any]) -> Shape:
    """The shape of what is said; what cannot be is taken for the first that can."""
    channels = channels_of(kind)
    first = next(iter(channels.values()))
    channel = channels.get(str(said.get("channel") or ""), first)
    possible = (*conditions_of(channel), Condition.SILENT)
    condition = next((one for one in possible if one.value == said.get("condition")), possible[0])
    guard = channels.get(str(said.get("while_channel") or ""))
    guards = [one for one in GUARD_CONDITIONS if guard is None or one in conditions_of(guard)]
    guard_condition = next((one for one in guards if one.value == said.get("while_condition")), guards[0])
    return Shape(channel, condition, guard, guard_condition)


def without_strange_limits(said: Mapping[str, str], kind: Kind) -> dict[str, str]:
    """Without the limits that mean nothing any more: `FAULT` of a temperature."""
    shape = shape_of(kind, said)
    of = {"limit": shape.channel, "low": shape.channel, "high": shape.channel, "while_limit": shape.guard}
    kept = dict(said)
    for name, channel in of.items():
        of_seconds = shape.is_silence and name == "limit"
        try:
            limit_parse(kept[name], channel=None if of_seconds else channel, fields=relative_to(kind, shape.condition))
        except LimitError:
            kept[name] = ""
    return kept


def _usual_alert_type(kind: Kind, channel: Channel | None) -> str:
    """What the kind's own rules about that channel raise."""
    named = channel.name if channel else ""
    usual = (rule.alert_type for rule in kind.default_rules if rule.channel == named)
    return next(usual, kind.alert_types[0]).value
