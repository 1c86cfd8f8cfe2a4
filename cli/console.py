"""The terminal, on which text of users, recipes and servers is text and nothing else."""

from rich.console import Console
from rich.text import Text


class PlainConsole(Console):
    """A console that shows words as they are: brackets are no markup, `:cat:` is no emoji, and
    control characters, which could move the cursor or set the title, are shown as escapes."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(
            stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False
        )

    def render_str(self, text: str, **options: object) -> Text:  # pyright: ignore
        return super().render_str(show_controls(text), **options)  # pyright: ignore


def show_controls(text: str) -> str:
    """`text` with control characters and lone surrogates as escapes; line ends and tabs stay."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )
