"""Readings through the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from wattkeeper.base.assets.states import KnownState
from wattkeeper.base.catalog.alerting import Condition
from wattkeeper.base.catalog.kinds import Kind
from wattkeeper.flow.rules.conditions import compiled
from wattkeeper.flow.rules.plans import Book, Plan, books_of
from wattkeeper.flow.rules.verdicts import Judged, Sample, Verdict


def judge(
    kind: Kind, samples: Sequence[Sample], *, before: Mapping[int, KnownState], watched: Collection[tuple[int, int]]
) -> list[Judged]:
    """What the tenants' rules say of the samples, in the samples' order.

    `samples` are sorted by asset and event time, and newer than `before`: what was known of each asset. `watched` are
    the pairs of rule and asset that are not clear. Given are breaches, and every verdict on a pair that is watched or
    has breached earlier in the call: of a watched `silent` rule that the asset has been heard of, and of a rule that
    is no longer about the asset that it is clear.
    """
    assets: dict[int, set[int]] = {}
    for sample in samples:
        assets.setdefault(sample.tenant_id, set()).add(sample.asset_id)
    books = books_of(kind, assets) if assets else {}
    plans: dict[int, Plan] = {}
    for tenant_id, asset_ids in assets.items():
        plans.update(books[tenant_id].plans(asset_ids))
    not_clear: dict[int, set[int | None]] = {}  # rules, by asset
    for rule_id, asset_id in watched:
        not_clear.setdefault(asset_id, set()).add(rule_id)

    judged: list[Judged] = []
    previous: Sample | None = None
    known: KnownState | None = None
    for sample in samples:
        asset_id = sample.asset_id
        plan = plans[asset_id]
        if previous is None or previous.asset_id != asset_id:
            known = before.get(asset_id)
        elif plan.looks_back:
            known = _known_after(previous, known)
        previous = sample
        if asset_id in not_clear or not plan.is_fine(sample, known):
            judged += _verdicts(plan, books[sample.tenant_id], sample, known, not_clear)
    return judged


def _verdicts(
    plan: Plan, book: Book, sample: Sample, known: KnownState | None, not_clear: dict[int, set[int | None]]
) -> Iterator[Judged]:
    """Rule by rule, by id; then the silences, then what is no longer about the asset."""
    asset_id = sample.asset_id
    for one in plan.rules:
        verdict, value = one.verdict(sample, known)
        if verdict is Verdict.BREACH:
            not_clear.setdefault(asset_id, set()).add(one.rule.id)
        elif one.rule.id not in not_clear.get(asset_id, ()):
            continue
        yield Judged(one.rule, asset_id, sample.at, verdict, value, one.limit)
    left = not_clear.get(asset_id, set())
    for one in plan.silences:
        if one.rule.id in left:
            yield Judged(one.rule, asset_id, sample.received_at, Verdict.CLEAR, 0.0, one.limit)
    if left <= plan.ids:
        return
    for rule in book.rules:
        if rule.id in plan.ids or rule.id not in left:
            continue
        at = sample.received_at if rule.condition is Condition.SILENT else sample.at
        yield Judged(rule, asset_id, at, Verdict.CLEAR, None, compiled(rule, {}).limit)


def _known_after(sample: Sample, before: KnownState | None) -> KnownState:
    """What is known once the sample has become the state: what it leaves out stays."""
    return KnownState(sample.at, {**(before.values if before is not None else {}), **sample.values})
