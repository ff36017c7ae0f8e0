"""What a thing's readings are asked, made once for all things alike, and kept while nobody changes a rule.

A `Book` holds the rules of one tenant for one kind. It makes a `Plan` for each thing; things of one type and one
nameplate, without rules of their own, share theirs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wattkeeper.base.assets.queries import types_of
from wattkeeper.base.assets.states import KnownState
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.actions import defaults_ensure
from wattkeeper.flow.rules.conditions import Compiled, Nameplate, Point, Unknowable, Zone, compiled
from wattkeeper.flow.rules.queries import revisions_of, specs_of
from wattkeeper.flow.rules.spec import RuleSpec
from wattkeeper.flow.rules.verdicts import Sample, Verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of one thing, `rules` by id and its silences apart, and what tells quickly that none is in breach.

    `spans`: where every simple rule of a channel is not in breach. `points`: values of a channel that are in breach.
    `guarded`: the same as a span, of a rule that speaks only at times. `others`: rules that are asked one by one.
    """

    rules: tuple[Compiled, ...]
    silences: tuple[Compiled, ...]
    ids: frozenset[int | None]
    spans: tuple[tuple[str, float, float], ...]
    points: tuple[tuple[str, frozenset[Any]], ...]
    guarded: tuple[tuple[str, float, float, Compiled], ...]
    others: tuple[Compiled, ...]
    looks_back: bool

    def is_fine(self, sample: Sample, before: KnownState | None) -> bool:
        """True only if no rule is in breach. It is what nearly every reading is asked, so it does little."""
        values: Mapping[str, Any] = sample.values
        try:
            for channel, low, high in self.spans:
                value = values.get(channel)
                if value is not None and not low <= value <= high:
                    return False
            for channel, points in self.points:
                if values.get(channel) in points:
                    return False
            for channel, low, high, rule in self.guarded:
                value = values.get(channel)
                if value is not None and not low <= value <= high and rule.verdict(sample, before)[0] is Verdict.BREACH:
                    return False
        except TypeError:  # a text where a rule expects a number: rule by rule, that is unsure
            return False
        return all(rule.verdict(sample, before)[0] is not Verdict.BREACH for rule in self.others)


def plan_of(rules: Sequence[RuleSpec], nameplate: Nameplate) -> Plan:
    """The plan of a thing with that nameplate, of which all the rules speak."""
    made = [compiled(rule, nameplate) for rule in rules]
    asked = tuple(rule for rule in made if rule.rule.condition is not Condition.SILENT)
    spans: dict[str, tuple[float, float]] = {}
    points: dict[str, set[Any]] = {}
    guarded: list[tuple[str, float, float, Compiled]] = []
    others: list[Compiled] = []
    for one in asked:
        channel, test = one.rule.channel, one.test
        if isinstance(test, Unknowable):
            continue
        if one.rule.condition is Condition.CHANGES or (one.guard is not None and not isinstance(test, Zone)):
            others.append(one)
        elif one.guard is not None and isinstance(test, Zone):
            guarded.append((channel, test.low, test.high, one))
        elif isinstance(test, Zone):
            low, high = spans.get(channel, (-math.inf, math.inf))
            spans[channel] = (max(low, test.low), min(high, test.high))
        else:
            points.setdefault(channel, set()).add(test.number if isinstance(test, Point) else test.text)
    return Plan(
        rules=asked,
        silences=tuple(rule for rule in made if rule.rule.condition is Condition.SILENT),
        ids=frozenset(rule.id for rule in rules),
        spans=tuple((channel, low, high) for channel, (low, high) in spans.items()),
        points=tuple((channel, frozenset(found)) for channel, found in points.items()),
        guarded=tuple(guarded),
        others=tuple(others),
        looks_back=any(rule.looks_back for rule in asked),
    )


@dataclass(frozen=True, slots=True)
class Book:
    """The rules of a tenant for a kind while their `number` is this one, and the plans made from them so far."""

    kind: Kind
    number: int | None
    rules: tuple[RuleSpec, ...]  # by id
    has_types: bool
    relative_to: tuple[str, ...]  # of the nameplate, what limits are relative to
    _by_type: dict[str, dict[int, Plan]] = field(default_factory=dict)
    _shared: dict[tuple[Any, ...], Plan] = field(default_factory=dict)

    def plans(self, asset_ids: Iterable[int]) -> dict[int, Plan]:
        """The plan of each of the tenant's things."""
        wanted = set(asset_ids)
        # A type is asked for each time: whoever changes it cannot know of rules.
        types = types_of(wanted) if self.has_types else {}
        plans: dict[int, Plan] = {}
        for asset_id in wanted:
            known = self._by_type.setdefault(types.get(asset_id, ""), {})
            if (plan := known.get(asset_id)) is not None:
                plans[asset_id] = plan
        missing = wanted - plans.keys()
        nameplates = self.kind.nameplate_of(sorted(missing)) if missing and self.relative_to else {}
        for asset_id in missing:
            type_ = types.get(asset_id, "")
            plan = self._plan(asset_id, type_, nameplates.get(asset_id, {}))
            plans[asset_id] = self._by_type[type_][asset_id] = plan
        return plans

    def _plan(self, asset_id: int, type_: str, nameplate: Nameplate) -> Plan:
        rules = [rule for rule in self.rules if rule.type in ("", type_) and rule.asset_id in (None, asset_id)]
        alike = (tuple(rule.id for rule in rules), tuple(nameplate.get(name) for name in self.relative_to))
        plan = self._shared.get(alike)
        if plan is None:
            plan = self._shared[alike] = plan_of(rules, nameplate)
        return plan


_books: dict[tuple[int, str], Book] = {}


def books_of(kind: Kind, tenant_ids: Iterable[int]) -> dict[int, Book]:
    """The books of those tenants as their rules are now: one question, where nobody has changed any."""
    wanted = set(tenant_ids)
    numbers = revisions_of(wanted)
    books: dict[int, Book] = {}
    for tenant_id in wanted:
        book = _books.get((tenant_id, kind.name))
        if book is None or book.number != numbers.get(tenant_id) or book.kind is not kind:
            book = _books[tenant_id, kind.name] = _book(kind, tenant_id)
        books[tenant_id] = book
    return books


def _book(kind: Kind, tenant_id: int) -> Book:
    # In this order: a number older than the rules has them read once more, a newer one would hide a change.
    defaults_ensure(tenant_id, kind)
    number = revisions_of([tenant_id]).get(tenant_id)
    rules = tuple(specs_of(tenant_id, kind))
    limits = [
        limit
        for rule in rules
        if rule.condition is not Condition.SILENT
        for limit in (rule.low, rule.high, rule.limit, rule.guard.limit if rule.guard else None)
    ]
    return Book(
        kind=kind,
        number=number,
        rules=rules,
        has_types=any(rule.type for rule in rules),
        relative_to=tuple(sorted({limit.field for limit in limits if limit is not None and limit.field})),
    )
