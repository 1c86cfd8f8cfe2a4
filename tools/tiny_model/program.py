"""All commands in one program."""

from manyshot.cli import call

from .commands import app
from .evaluation.command import evaluate
from .file_commands import export, import_files

app.command("export")(export)
app.command("import")(import_files)
app.command()(evaluate)


def main() -> None:
    """Errors become one sentence and an exit code, as `manyshot`'s do."""
    call(app)
