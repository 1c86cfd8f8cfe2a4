"""The terminal, on which text of users, recipes and servers is text and nothing else."""

from textwrap import fill
from typing import Any

from rich.console import Console
from rich.text import Text

from ..driver.screen import is_redrawn


class PlainConsole(Console):
    """A console that shows words as they are: brackets are no markup, `:cat:` is no emoji, and
    control characters, which could move the cursor or set the title, are shown as escapes."""

    def __init__(
        self, *, stderr: bool = False, soft_wrap: bool = False, quiet: bool = False
    ) -> None:
        super().__init__(
            stderr=stderr,
            soft_wrap=soft_wrap,
            quiet=quiet,
            markup=False,
            emoji=False,
            highlight=False,
        )

    def print(self, *objects: object, **options: Any) -> None:  # pyright: ignore
        """As rich has it, but texts are wrapped between words alone, and on a terminal only: a path
        longer than the line stays whole, and in a pipe a sentence is one line."""
        if objects and all(isinstance(each, str) for each in objects):
            options["soft_wrap"] = True
            if is_redrawn(self):
                objects = (_wrap(" ".join(map(str, objects)), self.width),)
        super().print(*objects, **options)

    def render_str(self, text: str, **options: object) -> Text:  # pyright: ignore
        return super().render_str(show_controls(text), **options)  # pyright: ignore


def show_controls(text: str) -> str:
    """`text` with control characters and lone surrogates as escapes; line ends and tabs stay."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def _wrap(text: str, width: int) -> str:
    """`text` in lines of at most `width` characters where its words allow; its own line ends and
    the spaces at their beginnings stay."""
    return "\n".join(
        fill(line, width, break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
        for line in text.split("\n")
    )


def say(text: str) -> None:
    """Print a line as it is, wrapped between words on a terminal."""
    PlainConsole(soft_wrap=True).print(text)
