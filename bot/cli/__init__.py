"""The commands of `flask --app app`: they read the arguments, call a use case and print. Nothing is decided here."""

from __future__ import annotations

import click

from bot.cli.checkins import checkin_commands
from bot.cli.college import import_command
from bot.cli.consent import consent_commands, erase_command
from bot.cli.lists import cases_command, inbox_command, outbox_command
from bot.cli.notices import notice_commands
from bot.cli.opportunities import opportunity_commands
from bot.cli.previewing import preview_command
from bot.cli.recovering import recover_command
from bot.cli.running import classify_command, migrate_command, work_command
from bot.cli.templates import template_commands
from bot.cli.timetable import lesson_commands
from bot.cli.tools import Tools

__all__ = ["Tools", "add_commands"]


def add_commands(group: click.Group, tools: Tools) -> None:
    """Hang every command on the application's group."""
    makers = (
        migrate_command,
        import_command,
        work_command,
        preview_command,
        classify_command,
        inbox_command,
        outbox_command,
        cases_command,
        consent_commands,
        erase_command,
        template_commands,
        lesson_commands,
        notice_commands,
        recover_command,
        checkin_commands,
        opportunity_commands,
    )
    for make in makers:
        group.add_command(make(tools))
