"""The accounts in Django admin, and the base of every admin class whose rows belong to a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelChoiceField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from wattkeeper.base.accounts import actions
from wattkeeper.base.accounts.callers import caller_of_user
from wattkeeper.base.accounts.matrix import Scope
from wattkeeper.base.accounts.models import ApiKey, AuditEntry, Tenant, User
from wattkeeper.base.core.errors import ConflictError

M = TypeVar("M", bound=models.Model)

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin
    _UserAdmin = DjangoUserAdmin[User]
else:  # Django's classes know no type parameters when they run

    class _ModelAdmin(admin.ModelAdmin):
        def __class_getitem__(cls, item):
            return cls

    _UserAdmin = DjangoUserAdmin


class ReadOnly:
    """Rows to look at only: the actions of their package alone write them. Stands before another admin class."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TenantAdmin(_ModelAdmin[M]):
    """A superuser may all; a tenant's admin sees, adds and changes what is the tenant's, deletes nothing.

    `tenant_lookup` leads from a row to its tenant. Filters by tenant are for superusers only: their choices
    would name the other tenants.
    """

    tenant_lookup = "tenant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows = super().get_queryset(request)
        person = _person(request)
        return rows if person.is_superuser else rows.filter(**{self.tenant_lookup: person.tenant_id})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _person(request).is_staff

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return _person(request).is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _person(request).is_staff

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return _person(request).is_staff

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return _person(request).is_superuser

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = super().get_list_filter(request)
        if _person(request).is_superuser:
            return filters
        return [one for one in filters if not (isinstance(one, str) and one.split("__")[0] == "tenant")]

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        person = _person(request)
        if not person.is_superuser:
            related = db_field.related_model
            if related is Tenant:
                # Required, although the column may be empty: an empty one would stand above tenants.
                mine = Tenant.objects.filter(users=person)
                kwargs |= {
                    "queryset": mine,
                    "initial": person.tenant_id,
                    "empty_label": None,
                    "required": True,
                }
            elif any(field.name == "tenant" for field in related._meta.get_fields()):
                kwargs["queryset"] = related._default_manager.filter(tenant=person.tenant_id)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self._audit(request, "add", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        self._audit(request, "change", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> Any:
        for obj in queryset:
            self._audit(request, "delete", obj, "")
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, verb: str, obj: M, message: Any) -> None:
        name = obj._meta.model_name
        tenant = obj if isinstance(obj, Tenant) else getattr(obj, "tenant", None)
        actions.audit_add(
            tenant=None if verb == "delete" and tenant is obj else tenant,
            actor=_identity(request),
            action=f"{name}_{verb}",
            target=f"{name}:{obj.pk} {obj}",
            detail={"through": "admin", "message": message},
        )


class ReadOnlyAdmin(ReadOnly, TenantAdmin[M]):
    """Both: a tenant's rows, to look at only."""


@admin.register(Tenant)
class TenantRecordAdmin(TenantAdmin[Tenant]):
    tenant_lookup = "pk"
    list_display = ("slug", "name", "time_zone", "created_at")
    list_filter = ("time_zone",)
    search_fields = ("slug", "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _person(request).is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        return () if _person(request).is_superuser else ("slug",)


@admin.register(User)
class UserAdmin(TenantAdmin[User], _UserAdmin):
    list_display = ("username", "tenant", "role", "email", "is_active", "last_login")
    list_filter = ("role", "is_active", "is_superuser", "tenant")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        # Nobody changes these for themselves; so no tenant loses its last admin by a slip.
        own = ("tenant", "role", "is_active", "is_superuser") if obj == _person(request) else ()
        return (*self.readonly_fields, *own)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        # Whether someone stands above tenants is for those to say who do.
        above = ("is_superuser",) if _person(request).is_superuser else ()
        if obj is None:
            return (
                (None, {"fields": ("username", "usable_password", "password1", "password2")}),
                ("Belongs to", {"fields": ("tenant", "role", "email", *above)}),
            )
        return (
            (None, {"fields": ("username", "password")}),
            ("Person", {"fields": ("first_name", "last_name", "email")}),
            ("Belongs to", {"fields": ("tenant", "role", "is_active", *above)}),
            ("Dates", {"fields": ("last_login", "date_joined")}),
        )


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin[ApiKey]):
    """A key is made and revoked, never changed; its secret is on the page that follows the making."""

    list_display = ("name", "tenant", "scope", "prefix", "created_by", "last_used_at", "revoked_at")
    list_filter = ("scope", ("revoked_at", admin.EmptyFieldListFilter), "tenant")
    search_fields = ("name", "prefix")
    fields = ("name", "tenant", "scope", "prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("name", "tenant", "scope")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: bool) -> None:
        person = _person(request)
        key, secret = actions.key_add(
            tenant=obj.tenant,
            name=obj.name,
            scope=Scope(obj.scope),
            actor=_identity(request),
            created_by=person,
        )
        obj.pk = key.pk
        obj.refresh_from_db()
        request.key_secret = secret  # type: ignore[attr-defined]  # for response_add, within this request

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"The key '{obj.name}'",
            "secret": request.key_secret,  # type: ignore[attr-defined]
            "opts": self.opts,
        }
        return TemplateResponse(request, "accounts/key_shown_once.html", context)

    def log_addition(self, request: HttpRequest, obj: ApiKey, message: Any) -> Any:
        # key_add has written to the audit trail already.
        return admin.ModelAdmin.log_addition(self, request, obj, message)

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = 0
        for key in queryset.filter(revoked_at=None):
            try:
                actions.key_revoke(key=key, actor=_identity(request))
                revoked += 1
            except ConflictError:  # someone else was quicker
                continue
        self.message_user(request, f"Revoked: {revoked}.")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin[AuditEntry]):
    list_display = ("at", "tenant", "actor", "action", "target")
    list_filter = ("action", "at", "tenant")
    search_fields = ("actor", "action", "target")
    date_hierarchy = "at"


def _person(request: HttpRequest) -> User:
    """Who is signed in; someone without any rights where nobody is."""
    user = request.user
    return user if isinstance(user, User) and user.is_active else _NO_ONE


def _identity(request: HttpRequest) -> str:
    return caller_of_user(_person(request)).identity


_NO_ONE = User(is_active=False, is_staff=False, is_superuser=False)
