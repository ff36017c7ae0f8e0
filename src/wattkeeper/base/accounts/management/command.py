"""What the commands on accounts have in common."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from wattkeeper.base.accounts import actions
from wattkeeper.base.accounts.models import Tenant
from wattkeeper.base.core.errors import WattkeeperError

DEFAULT_TENANT = "default"


class AccountsCommand(BaseCommand):
    """Answers wrong input with a sentence, and a home that was never migrated with what to do about it."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        if not _is_migrated():
            raise CommandError("The database is not set up yet: run `wattkeeper migrate` first.")
        try:
            return super().execute(*args, **options)
        except ValidationError as error:
            raise CommandError(_sentence(error)) from None
        except WattkeeperError as error:
            raise CommandError(str(error)) from None

    def tenant(self, slug: str) -> Tenant:
        """The tenant called so, made if it is missing, which is said on stderr after the commit."""
        tenant, created = actions.tenant_get_or_create(slug=slug, actor=actions.COMMAND_LINE)
        if created:
            made = f"Made the tenant '{slug}'."
            transaction.on_commit(lambda: self.stderr.write(made, self.style.SUCCESS))
        return tenant


def _is_migrated() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan([("accounts", name) for name in _leaves(executor)])
    except DatabaseError:  # there is not even a file to look into
        return False


def _leaves(executor: MigrationExecutor) -> list[str]:
    return [name for app, name in executor.loader.graph.leaf_nodes("accounts")]


def _sentence(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    parts = []
    for field, messages in error.message_dict.items():
        start = "" if field == "__all__" else f"{field}: "
        parts.append(start + " ".join(messages))
    return "; ".join(parts)
