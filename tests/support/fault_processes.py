"""`manyshot run` as a process of its own, that a test can kill."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml
from manyshot.driver.ledger import FILE_NAME
from manyshot.driver.recipe import Recipe

COMMAND = "import sys; from manyshot.cli import main; sys.argv[0] = 'manyshot'; main()"


@contextmanager
def start_driver(recipe: Recipe) -> Iterator[subprocess.Popen[str]]:
    """The running command; killed at the end of the block where it still runs."""
    path = recipe.output.parent / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json", exclude_none=True)))
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_group(process)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def kill_group(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def done(recipe: Recipe) -> int:
    """How many jobs the ledger has as done, as seen from outside while a run works."""
    path: Path = recipe.output / FILE_NAME
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            [(count,)] = db.execute("SELECT count(*) FROM jobs WHERE state = 1")
            return count
        finally:
            db.close()
    except sqlite3.OperationalError:  # not there yet
        return 0
