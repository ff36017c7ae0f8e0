"""Who is there: tenants, the people and the keys in them, and what they did. Written only by `actions.py`."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser
from django.contrib.auth.models import UserManager as DjangoUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from wattkeeper.base.accounts.append_only import AppendOnly
from wattkeeper.base.accounts.matrix import Role, Scope
from wattkeeper.base.core import clock


@cache
def time_zones() -> frozenset[str]:
    """The names that every reader of times knows, a browser too: those of this machine's own making are none."""
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def validate_time_zone(name: str) -> None:
    """Accept an IANA name (`Europe/Berlin`); ValidationError otherwise."""
    if name not in time_zones():
        raise ValidationError(f"'{name}' is no IANA time zone, such as Europe/Berlin.")


class Tenant(models.Model):
    """A customer: all that belongs to one is invisible to the others."""

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.slug


class UserManager(DjangoUserManager["User"]):
    """As Django's; a superuser is an admin without being asked."""

    use_in_migrations = False

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **extra_fields: Any
    ) -> User:
        extra_fields.setdefault("role", Role.ADMIN)
        return super().create_superuser(username, email, password, **extra_fields)


class User(AbstractUser):
    """A person. One tenant each, except superusers: they stand above tenants and have none."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, blank=True, related_name="users")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    objects: ClassVar[UserManager] = UserManager()

    class Meta(AbstractUser.Meta):
        ordering = ("username",)
        constraints = (
            models.CheckConstraint(
                name="user_has_tenant_or_is_superuser",
                condition=Q(is_superuser=True, tenant=None) | Q(is_superuser=False, tenant__isnull=False),
                violation_error_message="A user belongs to a tenant; a superuser to none.",
            ),
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.is_staff = self.is_superuser or self.role == Role.ADMIN
        super().save(*args, **kwargs)


class ApiKey(models.Model):
    """A program's way in. The secret is shown once, when it is made; only its digest is kept."""

    tenant = models.ForeignKey(
        Tenant, models.PROTECT, null=True, blank=True, related_name="keys", help_text="Empty: all tenants."
    )
    name = models.CharField(max_length=100)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    prefix = models.CharField(max_length=16, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("tenant__slug", "name")
        verbose_name = "API key"
        constraints = (
            models.UniqueConstraint(
                name="key_name_unique_in_tenant",
                fields=("tenant", "name"),
                violation_error_message="A key of this name exists in this tenant.",
            ),
            models.UniqueConstraint(
                name="key_name_unique_above_tenants",
                fields=("name",),
                condition=Q(tenant=None),
                violation_error_message="A key of this name exists for all tenants.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class AuditEntry(AppendOnly):
    """One thing that someone did."""

    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, related_name="+")
    actor = models.CharField(max_length=200, help_text="Who: user:3, key:9, command line.")
    action = models.CharField(max_length=50, db_index=True)
    target = models.CharField(max_length=300)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target}"
