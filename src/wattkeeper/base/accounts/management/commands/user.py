"""`wattkeeper user add NAME --role ROLE [--tenant T] [--email E] --password-stdin`"""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from wattkeeper.base.accounts import actions
from wattkeeper.base.accounts.management.command import DEFAULT_TENANT, AccountsCommand
from wattkeeper.base.accounts.matrix import Role


class Command(AccountsCommand):
    help = "People. (A superuser, who stands above tenants, is made by createsuperuser.)"

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_subparsers(dest="subcommand", required=True).add_parser("add", help="add a person")
        add.add_argument("name")
        add.add_argument("--role", required=True, choices=Role.values)
        add.add_argument("--tenant", default=DEFAULT_TENANT, help="its slug; made if missing (%(default)s)")
        add.add_argument("--email", default="")
        add.add_argument("--password-stdin", action="store_true", help="read the password from the first line of stdin")

    def handle(self, *args: Any, **options: Any) -> None:
        password = _password(from_stdin=options["password_stdin"])
        with transaction.atomic():  # no tenant is left behind when the person is refused
            user = actions.user_add(
                name=options["name"],
                password=password,
                role=Role(options["role"]),
                tenant=self.tenant(options["tenant"]),
                email=options["email"],
                actor=actions.COMMAND_LINE,
            )
        self.stdout.write(f"Added {user.username} ({user.role}) to the tenant '{user.tenant}'.")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise CommandError("The password on stdin is not UTF-8.") from None
    elif sys.stdin.isatty():
        password = getpass()
    else:
        raise CommandError("Give the password on stdin, with --password-stdin.")
    if not password:
        raise CommandError("The password is empty.")
    return password
