from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from wattkeeper.base.accounts.admin import ReadOnly, ReadOnlyAdmin, TenantAdmin
from wattkeeper.base.accounts.callers import caller_of_user
from wattkeeper.base.accounts.models import User
from wattkeeper.base.catalog import registry
from wattkeeper.base.catalog.alerting import AlertType
from wattkeeper.base.core.errors import ConflictError
from wattkeeper.flow.rules.actions import defaults_ensure_everywhere, rule_add, rule_change, rule_check
from wattkeeper.flow.rules.fields import NAMES, RuleFields, fields_of
from wattkeeper.flow.rules.models import JudgedMark, Revision, Rule

if TYPE_CHECKING:
    _RuleForm = forms.ModelForm[Rule]
else:
    _RuleForm = forms.ModelForm


class RuleForm(_RuleForm):
    """Checks a rule as every other door does."""

    kind = forms.ChoiceField(choices=lambda: [(one.name, one.label) for one in registry.kinds()])
    alert_type = forms.ChoiceField(choices=[(one.value, one.value) for one in AlertType])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        before = _before(self.instance)
        tenant_id = self.instance.tenant_id or (cleaned["tenant"].pk if cleaned.get("tenant") else None)
        if self.errors or tenant_id is None:
            return cleaned
        try:
            rule_check(self.written(before), tenant_id=tenant_id, before=before)
        except ValidationError as error:
            for name, sentences in error.message_dict.items():
                self.add_error(name if name in self.fields else None, sentences)
        return cleaned

    def written(self, before: RuleFields | None) -> RuleFields:
        """What the form says; of what it has no field for, what stood there."""
        said = {name: self.cleaned_data[name] for name in NAMES if name in self.cleaned_data}
        if "asset" in self.cleaned_data:
            asset = self.cleaned_data["asset"]
            said["asset_id"] = asset.pk if asset else None
        kept = {name: getattr(before, name) for name in NAMES} if before is not None else {}
        return RuleFields(**{**kept, **said})


@admin.register(Rule)
class RuleAdmin(TenantAdmin[Rule]):
    """Rules are added and changed, and switched off; nobody takes one away here."""

    form = RuleForm
    list_display = ("name", "kind", "type", "channel", "condition", "level", "alert_type", "enabled", "tenant")
    list_filter = ("kind", "enabled", "level", "alert_type", "condition", "tenant")
    search_fields = ("name", "channel", "alert_type", "text")
    raw_id_fields = ("asset",)
    readonly_fields = ("default_name", "created_at", "created_by", "changed_at", "changed_by")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        defaults_ensure_everywhere(caller_of_user(_person(request)).tenant_id)
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rule]:
        return super().get_queryset(request).filter(removed_at=None)

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *(("tenant", "kind") if obj is not None else ()))

    def has_delete_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Rule, form: forms.ModelForm[Rule], change: bool) -> None:
        assert isinstance(form, RuleForm)
        actor, before = caller_of_user(_person(request)).identity, _before(obj)
        if before is None:
            made = rule_add(tenant=obj.tenant, fields=form.written(None), actor=actor)
            obj.pk = made.pk
            obj.refresh_from_db()
            return
        try:
            rule_change(Rule.objects.get(pk=obj.pk), fields=form.written(before), actor=actor)
        except ConflictError as error:
            self.message_user(request, str(error), messages.ERROR)

    # The actions have written to the audit trail already.
    def log_addition(self, request: HttpRequest, obj: Rule, message: Any) -> Any:
        return admin.ModelAdmin.log_addition(self, request, obj, message)

    def log_change(self, request: HttpRequest, obj: Rule, message: Any) -> Any:
        return admin.ModelAdmin.log_change(self, request, obj, message)


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin[Revision]):
    list_display = ("tenant", "number")
    list_filter = ("tenant",)
    search_fields = ("tenant__slug",)


@admin.register(JudgedMark)
class JudgedMarkAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # of no tenant; Django's own is not generic
    list_display = ("stream", "arrival")
    list_filter = ("stream",)
    search_fields = ("stream",)


def _before(rule: Rule) -> RuleFields | None:
    """What stands in the database, whatever a form has made of the row."""
    found = Rule.objects.filter(pk=rule.pk).first() if rule.pk else None
    return None if found is None else fields_of(found)


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
