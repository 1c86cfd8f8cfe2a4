"""What `--help` shows: commands with their whole first sentence, and examples of each."""

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

INDENT = "    "  # Markdown's sign of code, in docs/commands.md


class Commands(TyperGroup):
    """A group whose commands are listed with their whole first sentence, not cut to a line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        shown = [
            (name, _first_sentence(command.short_help or command.help or ""))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) and not command.hidden
        ]
        if shown:
            with formatter.section("Commands"):
                formatter.write_dl(shown)


def add_examples(app: typer.Typer, examples: Mapping[str, tuple[str, ...]], path: str = "") -> None:
    """Put `examples`, by the words of a command ("recipe new"), at the end of its help."""
    app.info.cls = Commands
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", "")).replace("_", "-")
        if lines := examples.get(f"{path} {name}".strip()):
            command.epilog = "\n\n".join(["\nExamples:", *(INDENT + line for line in lines)])
    for group in app.registered_groups:
        if group.typer_instance:
            add_examples(group.typer_instance, examples, f"{path} {group.name}".strip())


def _first_sentence(text: str) -> str:
    words = " ".join(text.split())
    return words.partition(". ")[0].rstrip(".")
