from __future__ import annotations

import pytest

from tests.support.alerts import battery, rule_make
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.assets.models import Asset
from wattkeeper.flow.rules.spec import RuleSpec


@pytest.fixture
def asset(tenant: Tenant) -> Asset:
    return battery(tenant)


@pytest.fixture
def rule(tenant: Tenant) -> RuleSpec:
    """No battery is hotter than 50 °C; without delays."""
    return rule_make(tenant)
