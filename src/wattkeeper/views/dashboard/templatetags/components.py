"""The components that all pages share; `/components/` shows each of them. Their looks are in wattkeeper.css."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from wattkeeper.base.catalog.channels import Channel
from wattkeeper.base.catalog.units import Unit
from wattkeeper.base.core.clock import now

register = template.Library()

_BAR_HEIGHT = 40  # as the template draws them
SEVERAL = ", "  # between the states that a thing is in at once; badges.js has it, too
AGE_UNITS = ((60, "s"), (60, "min"), (24, "h"))


class Level(StrEnum):
    """How much something matters: a colour, an icon and a word, never a colour alone."""

    FINE = "fine"
    QUIET = "quiet"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class StateBadge:
    """How a state is shown by `badge`: the word, the level and the icon."""

    word: str
    level: Level
    icon: str


BadgesByChannel = Mapping[str, Mapping[str, StateBadge]]

LEVEL_ICONS = {
    Level.FINE: "check-circle",
    Level.QUIET: "minus-circle",
    Level.INFO: "information-circle",
    Level.WARNING: "exclamation-triangle",
    Level.ERROR: "exclamation-circle",
    Level.CRITICAL: "fire",
}


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """One of icons.txt. Without a label it is decoration, which a screen reader passes over."""
    named = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon" {}><use href="{}#{}"></use></svg>', named, static("wattkeeper/vendor/icons.svg"), name
    )


@register.simple_tag
def badge(text: str, level: str = Level.QUIET, icon_name: str = "") -> SafeString:
    """A state in a word, with the icon and the colour of its level."""
    shape = icon(icon_name or LEVEL_ICONS[Level(level)])
    return format_html('<span class="badge {}">{}{}</span>', Level(level).value, shape, text)


@register.simple_block_tag
def card(content: str, title: str = "", extra: str = "", level: int = 2) -> SafeString:
    """A box with a heading; `extra` stands at the heading's end."""
    context = {"content": content, "title": title, "extra": extra, "level": level}
    return render_to_string("wattkeeper/components/card.html", context)


@register.simple_block_tag
def dialog(content: str, id: str, title: str, icon_name: str = "") -> SafeString:
    """A modal dialog; `<button data-opens="ID">` opens it."""
    context = {"content": content, "id": id, "title": title, "icon": icon_name}
    return render_to_string("wattkeeper/components/dialog.html", context)


@register.simple_block_tag
def menu(content: str, label: str, icon_name: str = "", tone: str = "button quiet", end: bool = False) -> SafeString:
    """A button that unfolds links or a small form."""
    context = {"content": content, "label": label, "icon": icon_name, "tone": tone, "end": end}
    return render_to_string("wattkeeper/components/menu.html", context)


@register.simple_block_tag
def empty(content: str, title: str, icon_name: str = "inbox", level: int = 2) -> SafeString:
    """An empty place: what belongs here, and what fills it. `level` of its heading is 1 where it is the whole page."""
    context = {"content": content, "title": title, "icon": icon_name, "level": level}
    return render_to_string("wattkeeper/components/empty.html", context)


@register.simple_block_tag
def table(content: str, label: str, id: str = "") -> SafeString:
    """A table that scrolls in its own box, never the page; reachable by keyboard."""
    context = {"content": content, "label": label, "id": id}
    return render_to_string("wattkeeper/components/table.html", context)


@register.inclusion_tag("wattkeeper/components/sort_header.html", takes_context=True)
def sort_header(
    context: Context, column: str, label: str, sort: str, unit: str = "", numeric: bool = False
) -> dict[str, Any]:
    """A column's heading that sorts by it: up, then down. `sort` is what the page is sorted by now."""
    descending, current = sort == f"-{column}", sort.removeprefix("-") == column
    query = context["request"].GET.copy()
    query.pop("page", None)
    query["sort"] = f"-{column}" if current and not descending else column
    state = ("descending" if descending else "ascending") if current else ""
    return {"label": label, "unit": unit, "numeric": numeric, "address": f"?{query.urlencode()}", "state": state}


@register.inclusion_tag("wattkeeper/components/pages.html", takes_context=True)
def pages(context: Context, page: Any, noun: str = "rows") -> dict[str, Any]:
    """Which of how many rows these are, and the way to the others."""

    def address(number: int) -> str:
        query = context["request"].GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "noun": noun,
        "previous": address(page.previous_page_number()) if page.has_previous() else "",
        "next": address(page.next_page_number()) if page.has_next() else "",
    }


@register.inclusion_tag("wattkeeper/components/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form's field with its label, its help and what is wrong with it."""
    return {"field": bound, "is_checkbox": getattr(bound.field.widget, "input_type", "") == "checkbox"}


@register.inclusion_tag("wattkeeper/components/bars.html")
def bars(counts: Sequence[tuple[Any, int]], label: str) -> dict[str, Any]:
    """A strip of bars, one for each count with its name; each tells its own when it is pointed at."""
    most = max((count for _, count in counts), default=0)
    drawn = []
    for place, (name, count) in enumerate(counts):
        height = max(round(_BAR_HEIGHT * count / most), 2) if count else 1
        drawn.append(
            {"x": 10 * place + 1, "y": _BAR_HEIGHT - height, "height": height, "name": str(name), "count": count}
        )
    busiest = next((str(name) for name, count in counts if count == most), "")
    return {
        "bars": drawn,
        "width": 10 * len(drawn),
        "label": label,
        "summary": f"at most {most:,}, on {busiest}" if most else "none",
        "first": drawn[0]["name"] if drawn else "",
        "last": drawn[-1]["name"] if len(drawn) > 1 else "",
    }


@register.simple_tag
def age(at: datetime | None, none: str = "no reading yet", stale_after: int = 0) -> SafeString:
    """How long ago that was, which freshness.js keeps true; grey after `stale_after` seconds (0: never)."""
    if at is None:
        return format_html('<span class="none">{}</span>', none)
    seconds = (now() - at).total_seconds()
    return format_html(
        '<time datetime="{}" title="{}" data-age data-stale="{}"{}>{}</time>',
        at.isoformat(),
        f"{localtime(at):%Y-%m-%d %H:%M:%S}",
        stale_after or "",
        SafeString(' class="stale"') if stale_after and seconds > stale_after else "",
        _age(seconds),
    )


def _age(seconds: float) -> str:
    """`freshness.js` says the same later on."""
    value = max(0, round(seconds))
    for size, unit in AGE_UNITS:
        if value < size:
            return f"{value} {unit} ago"
        value //= size
    return f"{value} d ago"


@register.simple_tag(takes_context=True)
def go(context: Context, url_name: str, *args: Any, **query: Any) -> str:
    """The address of another page within the same scope and time; `query` adds to it."""
    shell = context.get("shell")
    carried: Mapping[str, str] = shell.carried if shell else {}
    parameters = {**carried, **{name: value for name, value in query.items() if value not in (None, "")}}
    return reverse(url_name, args=args) + (f"?{urlencode(parameters)}" if parameters else "")


@register.filter
def value(number: Any) -> str:
    """A channel's value as people read it: no more digits than there are, thousands apart."""
    if number is None:
        return "\N{EN DASH}"
    if isinstance(number, bool) or not isinstance(number, int | float):
        return str(number)
    if isinstance(number, int):
        return f"{number:,}"
    return f"{number:,.3f}".rstrip("0").rstrip(".")


@register.simple_tag
def state_cells(cells: Sequence[tuple[Channel, Any]], badges: BadgesByChannel | None = None) -> SafeString:
    """Cells of a table's row, each a channel with its value. A list has hundreds: a template takes longer for them."""
    return SafeString("".join(_state_cell(channel, known, badges or {}) for channel, known in cells))


def _state_cell(channel: Channel, known: Any, badges: BadgesByChannel) -> str:
    """A percentage has a bar."""
    shown: str = known_value(known, channel.name, badges)
    if not channel.is_numeric:
        return f"<td>{shown}</td>"
    if channel.unit is Unit.PERCENT:
        said = "hidden" if known is None else f'value="{known}"'
        shown = f'<meter min="0" max="100" low="20" optimum="100" {said} aria-hidden="true"></meter> {shown}'
    return f'<td class="number">{shown}</td>'


@register.simple_tag
def known_value(known: Any, name: str, badges: BadgesByChannel | None = None) -> SafeString:
    """What a channel says of a thing, which patches.js keeps true within an element `data-asset`."""
    if badges and name in badges:
        return state_badge(name, badges[name], known)
    if known is None:
        return SafeString(f'<span class="none" data-value="{name}">\N{EN DASH}</span>')
    return SafeString(f'<span data-value="{name}">{escape(value(known))}</span>')


@register.simple_tag
def state_badge(name: str, badges: Mapping[str, StateBadge], state: str | None) -> SafeString:
    """The badge of a state, which badges.js may change for another that `badges_for` has put on the page."""
    shown = state_shown(badges, state)
    return format_html(
        '<span data-value="{}" data-badge-of="{}" data-state="{}">{}</span>', name, name, state or "", shown
    )


@register.simple_tag
def state_shown(badges: Mapping[str, StateBadge], state: str | None) -> SafeString:
    """The badge of a state that was, which stays; of several, with commas between them, each its own."""
    if not state:
        return SafeString(_NOT_KNOWN)
    names = [state] if state in badges else state.split(SEVERAL)
    shown = [(badges.get(name), name) for name in names]
    return SafeString(" ".join(badge(one.word, one.level, one.icon) if one else escape(name) for one, name in shown))


@register.simple_tag
def badges_for(name: str, badges: Mapping[str, StateBadge]) -> SafeString:
    """How each state of `data-badge-of="NAME"` is shown, for badges.js, which has no looks of its own."""
    made = (
        f'<template data-badge="{name}" data-state="{state}">{badge(one.word, one.level, one.icon)}</template>'
        for state, one in badges.items()
    )
    return SafeString("".join(made))


_NOT_KNOWN = '<span class="none" title="not known">\N{EN DASH}</span>'


@register.filter
def thousands(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


@register.filter
def size(bytes_: int | None) -> str:
    """34,100,000 as "34 MB"; figures.js says the same."""
    if bytes_ is None:
        return ""
    if bytes_ < 1_000:
        return f"{bytes_} byte{'' if bytes_ == 1 else 's'}"
    number, unit = (bytes_ / 1_000, "kB") if bytes_ < 1_000_000 else (bytes_ / 1_000_000, "MB")
    return f"{number:,.1f} {unit}" if number < 10 else f"{number:,.0f} {unit}"


@register.filter
def get(mapping: Mapping[str, Any], key: str) -> Any:
    """The value under a name that is itself a variable."""
    return mapping.get(key)


@register.filter
def words(name: str) -> str:
    """`soc_jump` as "soc jump"."""
    return name.replace("_", " ")
