"""`wattkeeper key add NAME --scope SCOPE [--tenant T | --all-tenants]`, `key list`, `key revoke NAME`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from wattkeeper.base.accounts import actions, queries
from wattkeeper.base.accounts.management.command import DEFAULT_TENANT, AccountsCommand
from wattkeeper.base.accounts.matrix import Scope


class Command(AccountsCommand):
    help = "API keys. `add` prints the key, alone, on stdout: it is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        add = commands.add_parser("add", help="make a key and print it")
        add.add_argument("name")
        add.add_argument("--scope", required=True, choices=Scope.values)
        _add_whose(add, f"its slug; made if missing ({DEFAULT_TENANT})")
        show = commands.add_parser("list", help="show the keys, without their secrets")
        show.add_argument("--tenant", help="only this tenant's")
        revoke = commands.add_parser("revoke", help="end a key")
        revoke.add_argument("name")
        _add_whose(revoke, "its slug, when several tenants have a key of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        {"add": self._add, "list": self._list, "revoke": self._revoke}[options["subcommand"]](options)

    def _add(self, options: dict[str, Any]) -> None:
        with transaction.atomic():  # no tenant is left behind when the key is refused
            tenant = None if options["all_tenants"] else self.tenant(options["tenant"] or DEFAULT_TENANT)
            _, secret = actions.key_add(
                tenant=tenant, name=options["name"], scope=Scope(options["scope"]), actor=actions.COMMAND_LINE
            )
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        tenant = None
        if options["tenant"]:
            tenant = queries.tenant_by_slug(options["tenant"])
            if tenant is None:
                raise CommandError(f"There is no tenant '{options['tenant']}'.")
        line = "{:<24} {:<16} {:<7} {:<12} {:<17} {}".format
        self.stdout.write(line("NAME", "TENANT", "SCOPE", "BEGINS WITH", "LAST USED", "STATE"))
        for key in queries.keys(tenant=tenant):
            whose = key.tenant.slug if key.tenant else "(all tenants)"
            state = f"revoked {_minute(key.revoked_at)}" if key.revoked_at else "valid"
            self.stdout.write(line(key.name, whose, key.scope, key.prefix, _minute(key.last_used_at), state))

    def _revoke(self, options: dict[str, Any]) -> None:
        found = queries.keys().filter(name=options["name"])
        if options["all_tenants"]:
            found = found.filter(tenant=None)
        elif options["tenant"]:
            found = found.filter(tenant__slug=options["tenant"])
        candidates = list(found)
        if not candidates:
            raise CommandError(f"There is no key '{options['name']}'; `wattkeeper key list` shows all.")
        if len(candidates) > 1:
            raise CommandError("Several tenants have a key of this name: add --tenant or --all-tenants.")
        actions.key_revoke(key=candidates[0], actor=actions.COMMAND_LINE)
        self.stderr.write(f"Revoked '{options['name']}': it opens nothing from 10 seconds on.", self.style.SUCCESS)


def _add_whose(parser: CommandParser, help_of_tenant: str) -> None:
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--tenant", help=help_of_tenant)
    whose.add_argument("--all-tenants", action="store_true", help="above all tenants")


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%MZ}" if moment else "-"
