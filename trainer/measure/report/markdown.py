"""The report as GitHub-flavoured Markdown, which reads well as plain text too."""

import re
from collections.abc import Iterable, Sequence

from ....core.counted import pluralize
from .class_gains import ClassGains
from .gain_tables import Sheet
from .plot import Plot
from .report_page import Page
from .sample_figures import shots_text


def markdown(page: Page) -> str:
    """The page as text. Whatever comes from results is escaped."""
    blocks = [*_head(page), *_gains(page), *_plots(page), *_classes(page), *_end(page)]
    return "\n\n".join(blocks) + "\n"


def inline(text: str) -> str:
    """Text in one line that Markdown and HTML leave alone inside a line or a table's cell."""
    safe = re.sub(r"([\\`*_\[\]<>|~&$])", r"\\\1", " ".join(text.split()))
    # Addresses, which GitHub would turn into links.
    return re.sub(r"(?i)(https?|ftp|mailto|xmpp):|www\.|@", _unlink, safe)


def escape(text: str) -> str:
    """The same for a line of its own, which must not begin a list, a heading or a rule."""
    return re.sub(r"^([+\-=#]|\d+(?=[.)]))", _not_at_start, inline(text))


def _unlink(match: re.Match[str]) -> str:
    text = match.group()
    return f"{text[:-1]}\\{text[-1]}"


def _not_at_start(match: re.Match[str]) -> str:
    return match.group() + "\\" if match.group()[0].isdigit() else "\\" + match.group()


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with as many cells in every row as in its header, columns as wide as their text."""
    cells = [[inline(text) for text in row] for row in (header, *rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]
    lines = [_line([t.ljust(w) for t, w in zip(row, widths, strict=True)]) for row in cells]
    return "\n".join([lines[0], _line(["-" * width for width in widths]), *lines[1:]])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _head(page: Page) -> list[str]:
    answer = page.answer
    return [
        "# Did the synthetic images help?",
        f"**{escape(answer.lead)}:** {escape(answer.rest)}",
        *(f"**{escape(text)}**" for text in answer.warnings),
        *map(escape, answer.asides),
        escape(page.basis),
    ]


def _gains(page: Page) -> list[str]:
    if not page.gains.rows:
        return []
    unit = f"Gain over real only in points of {escape(page.metric)}, with its 95 % interval."
    terms = "\n".join(f"- {escape(term)}: {inline(meaning)}" for term, meaning in page.terms)
    blocks = ["## Gain of each arm", unit, _sheet(page.gains), "### Terms", terms]
    if page.auto:
        blocks += ["### What auto chose", _sheet(page.auto)]
    if page.published:
        blocks += ["## Published figures", _sheet(page.published)]
        blocks += [f"Published: {escape(source)}" for source in page.sources]
    return blocks


def _sheet(sheet: Sheet) -> str:
    return table(sheet.header, sheet.rows)


def _plots(page: Page) -> list[str]:
    return [block for plot in page.plots for block in _plot(plot)]


def _plot(plot: Plot) -> list[str]:
    rows = [(line.name, *line.cells) for line in plot.lines]
    unit = escape(f"{plot.up}, by {plot.across}.")
    return [f"## {escape(plot.title)}", unit, table(("", *plot.columns), rows)]


def _classes(page: Page) -> list[str]:
    if not page.classes:
        return []
    caution = "Each class has few test images: read the pattern, not single figures."
    arm = escape(f"In points, for {page.classes[0].arm}.")
    blocks = ["## Gain of each class", f"{arm} {caution}"]
    return blocks + [block for group in page.classes for block in _class_gains(group)]


def _class_gains(group: ClassGains) -> list[str]:
    title = f"### {shots_text(group.shots)}: {group.summary}"
    rows = [(bar.name, bar.gain, bar.span) for bar in group.bars]
    if group.left_out:
        rows.insert(
            len(rows) // 2, (f"… {pluralize(group.left_out, 'class', 'classes')} not shown", "", "")
        )
    return [title, table(("class", "gain in points", "interval"), rows)]


def _end(page: Page) -> list[str]:
    blocks = []
    if page.notes:
        notes = "\n".join(f"- {escape(note)}" for note in page.notes)
        blocks += ["## What was not controlled", notes]
    facts = table(("", ""), page.facts)
    recipe = "\n".join(f"    {line}" for line in page.recipe.splitlines())
    steps = "\n".join(f"- {escape(step)}" for step in page.next_steps)
    blocks += ["## How it was measured", facts, "### Recipe", recipe]
    return [*blocks, "## What to try next", steps]
