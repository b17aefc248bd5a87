"""manage.py login_link: print a link that opens the admin once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.services import accounts, setup


class Command(BaseCommand):
    """Print a link that signs the administrator in, once and for fifteen minutes."""

    help = "Print a link that opens the admin, once and within fifteen minutes."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--site", default="http://127.0.0.1:8000", help="where the site is")

    def handle(self, *_: Any, **options: Any) -> None:
        setup.ensure_ready()
        site = str(options["site"]).rstrip("/")
        self.stdout.write(f"{site}/login/{accounts.create_login_link()}/")
