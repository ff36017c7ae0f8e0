"""The quick way gives what a slow and simple one gives, whatever comes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.packs import PACK as KIND
from tests.support.packs import known, pack, rule, sample
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.base.assets.states import KnownState
from wattkeeper.flow.rules.actions import plans_outdate
from wattkeeper.flow.rules.judge import judge
from wattkeeper.flow.rules.models import Rule
from wattkeeper.flow.rules.verdicts import Sample

pytestmark = pytest.mark.usefixtures("packs")

# About the limits, on them and far away; of both types of numbers; and what no stream lets through.
NUMBER = st.sampled_from([-20, -10.5, -10, -9, 0, 0.5, 7, 9.99, 10, 12, 20, 35, 47, 49, 50, 50.0, 51, 80, 99, 100, 1e9])
WORD = st.sampled_from(["IDLE", "CHARGING", "FAULT"])
ODD = st.sampled_from([None, "text", float("nan")])
LIMIT = st.sampled_from(["-10", "0", "10", "20", "50", "100", "0.5 * nominal", "-1 * nominal", "strongest"])
CHANNEL = st.sampled_from(["temperature", "current", "charge"])
COMPARED = st.sampled_from(["above", "below", "equals"])
GUARD = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "while_channel": CHANNEL,
            "while_condition": st.sampled_from(["above", "below", "equals"]),
            "while_limit": LIMIT,
        }
    ),
    st.fixed_dictionaries(
        {"while_channel": st.just("status"), "while_condition": st.just("equals"), "while_limit": WORD}
    ),
)
NUMERIC = st.fixed_dictionaries(
    {
        "channel": CHANNEL,
        "condition": COMPARED,
        "limit": LIMIT,
        "deadband": st.sampled_from([0.0, 1.0, 5.0, 1000.0]),
    }
)
CHANGING = st.fixed_dictionaries(
    {
        "channel": CHANNEL,
        "condition": st.just("changes"),
        "limit": st.sampled_from(["0", "5", "30"]),
        "deadband": st.just(2.0),
    }
)
OUTSIDE = st.fixed_dictionaries(
    {
        "channel": CHANNEL,
        "condition": st.just("outside"),
        "low": st.sampled_from(["-10", "0", "-1 * nominal"]),
        "high": st.sampled_from(["10", "50", "nominal", "strongest"]),
        "deadband": st.sampled_from([0.0, 3.0, 1000.0]),
    }
)
TEXTUAL = st.fixed_dictionaries({"channel": st.just("status"), "condition": st.just("equals"), "limit": WORD})
SCOPE = st.sampled_from([{}, {"type": "Li-ion"}, {"own": True}])
RULE = st.tuples(st.one_of(NUMERIC, OUTSIDE, TEXTUAL, CHANGING), GUARD, SCOPE).map(
    lambda parts: {**parts[0], **parts[1], **parts[2]}
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.one_of(NUMBER, ODD),
        "current": st.one_of(NUMBER, ODD),
        "charge": st.one_of(NUMBER, ODD),
        "status": st.one_of(WORD, st.none(), NUMBER),
    },
)
STATE = st.one_of(st.none(), st.tuples(st.sampled_from([None, -0.5, -2]), VALUES))
MINUTES = st.lists(st.sampled_from([0, 0.1, 1, 3]), max_size=4, unique=True).map(sorted)
NAMEPLATE = {"nominal": 40.0, "strongest": None}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), rules=st.lists(RULE, max_size=6))
def test_the_quick_way_says_what_each_rule_says_of_each_sample(
    tenant: Tenant, data: st.DataObject, rules: list[dict[str, Any]]
) -> None:
    Rule.objects.filter(tenant=tenant).delete()
    plans_outdate(tenant.pk)
    assets = [_asset(tenant, "P1", "Li-ion", NAMEPLATE), _asset(tenant, "P2", "NiMH", {})]
    made = [_rule(tenant, fields, assets[0]) for fields in rules]
    samples = [sample(asset, minute, **data.draw(VALUES)) for asset in assets for minute in data.draw(MINUTES)]
    states = {asset.pk: state for asset in assets if (state := data.draw(STATE)) is not None}
    before = {pk: known(minute, **values) for pk, (minute, values) in states.items()}
    watched = {
        (one.pk, asset.pk) for one in made for asset in assets if _is_about(one, asset) and data.draw(st.booleans())
    }
    found = judge(KIND, samples, before=before, watched=watched)
    said = [(one.rule.id, one.asset_id, one.at, one.verdict.value) for one in found]
    assert said == list(_slowly(made, assets, samples, before, watched))


def _asset(tenant: Tenant, key: str, type_: str, nameplate: Mapping[str, float | None]) -> Asset:
    found = Asset.objects.filter(tenant=tenant, key=key).first()
    return found or pack(tenant, key, type=type_, nameplate=nameplate)


def _rule(tenant: Tenant, fields: dict[str, Any], asset: Asset) -> Rule:
    own = fields.pop("own", False)
    return rule(tenant, asset_id=asset.pk if own else None, **fields)


def _slowly(
    rules: list[Rule],
    assets: list[Asset],
    samples: list[Sample],
    before: Mapping[int, KnownState],
    watched: set[tuple[int, int]],
) -> Iterator[tuple[int, int, Any, str]]:
    """Every rule on every sample, straight from what people wrote."""
    by_id = {asset.pk: asset for asset in assets}
    not_clear = set(watched)
    states = {pk: (state.at, dict(state.values)) for pk, state in before.items()}
    for one in samples:
        asset = by_id[one.asset_id]
        at, values = states.get(asset.pk, (None, {}))
        for each in rules:
            if not _is_about(each, asset):
                continue
            verdict = _verdict(each, one, at, values, NAMEPLATE if asset.key == "P1" else {})
            if verdict == "breach":
                not_clear.add((each.pk, asset.pk))
            if (each.pk, asset.pk) in not_clear:
                yield each.pk, asset.pk, one.at, verdict
        states[asset.pk] = (one.at, {**values, **one.values})


def _is_about(one: Rule, asset: Asset) -> bool:
    return one.type in ("", asset.type) and one.asset_id in (None, asset.pk)


def _verdict(one: Rule, now: Sample, at: Any, values: dict[str, Any], nameplate: Mapping[str, float | None]) -> str:
    if one.while_channel:
        said = now.values.get(one.while_channel)
        said = values.get(one.while_channel) if said is None else said
        allowed = _compared(one.while_condition, said, one.while_limit, 0.0, nameplate, one.while_channel == "status")
        if allowed != "breach":
            return allowed
    value = now.values.get(one.channel)
    if one.condition == "changes":
        old = values.get(one.channel)
        if not _is_number(value) or not _is_number(old) or at is None:
            return "unsure"
        value = abs(value - old) / max((now.at - at).total_seconds() / 60, 1)
        return _compared("above", value, one.limit, one.deadband, nameplate, False)
    if one.condition == "outside":
        low, high = _number(one.low, nameplate), _number(one.high, nameplate)
        if low is None and high is None:
            return "unsure"
        low = -math.inf if low is None else low
        high = math.inf if high is None else high
        if low > high:
            return "unsure"
        inside = min(one.deadband, (high - low) / 4)
        sides = {_zone(value, low, low + inside, below=True), _zone(value, high, high - inside, below=False)}
        return next(verdict for verdict in ("breach", "unsure", "clear") if verdict in sides)
    return _compared(one.condition, value, one.limit, one.deadband, nameplate, one.channel == "status")


def _compared(
    condition: str, value: Any, limit: str, deadband: float, nameplate: Mapping[str, float | None], is_text: bool
) -> str:
    if is_text:
        return "unsure" if not isinstance(value, str) else "breach" if value == limit else "clear"
    number = _number(limit, nameplate)
    if number is None or not _is_number(value):
        return "unsure"
    if condition == "equals":
        return "breach" if value == number else "clear" if abs(value - number) > deadband else "unsure"
    below = condition == "below"
    return _zone(value, number, number + deadband if below else number - deadband, below=below)


def _zone(value: Any, limit: float, clear: float, *, below: bool) -> str:
    if not _is_number(value):
        return "unsure"
    if value < limit if below else value > limit:
        return "breach"
    return "clear" if (value >= clear if below else value <= clear) else "unsure"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value


def _number(text: str, nameplate: Mapping[str, float | None]) -> float | None:
    factor, _, field = text.rpartition("*")
    if field.strip() not in ("nominal", "strongest"):
        return float(text)
    known = nameplate.get(field.strip())
    return None if known is None else float(factor or 1) * known
