"""For developers: every shared component on one page, as the pages use them."""

from __future__ import annotations

from datetime import timedelta

from django.core.paginator import Paginator
from django.forms import BooleanField, CharField, ChoiceField, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from wattkeeper.base.accounts.callers import Caller
from wattkeeper.base.core.clock import now
from wattkeeper.views.dashboard.guard import page
from wattkeeper.views.dashboard.templatetags.charts import Share
from wattkeeper.views.dashboard.templatetags.components import Level


class SampleForm(Form):
    """A field of each sort; it is shown as if it had been sent empty."""

    name = CharField(max_length=50, help_text="At most 50 letters.")
    kind = ChoiceField(choices=[("a", "The first"), ("b", "The second")])
    note = CharField(required=False)
    agreed = BooleanField(label="Tell me, too", required=False)


@page()
def components(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The page of components."""
    context = {
        "levels": list(Level),
        "times": [now() - timedelta(seconds=seconds) for seconds in (5, 600, 90_000)],
        "counts": [(now().date() - timedelta(days=13 - place), (place * 5) % 11) for place in range(14)],
        "shares": [Share("Full", 71, "#"), Share("Half", 42, "#", "warning"), Share("Empty", 7, "", "critical")],
        "none_yet": [],
        "form": SampleForm({}),
        "page": Paginator(range(120), 50).get_page(request.GET.get("page")),
        "sort": request.GET.get("sort", "name"),
    }
    return render(request, "wattkeeper/components.html", context)
