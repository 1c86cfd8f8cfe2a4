"""The log of a dataset folder's runs: what was tried, what failed, which server went away."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

FILE_NAME = "manyshot.log"
MAX_BYTES = 5_000_000


@contextmanager
def run_log(folder: Path) -> Iterator[None]:
    """Write what the driver logs to manyshot.log in `folder`, and nowhere else."""
    if (folder / FILE_NAME).is_symlink():
        (folder / FILE_NAME).unlink()  # a stranger's folder: what it leads to is not ours to write
    driver = logging.getLogger(__package__)
    handler = RotatingFileHandler(
        folder / FILE_NAME, maxBytes=MAX_BYTES, backupCount=2, encoding="utf-8", errors="replace"
    )
    handler.handleError = lambda record: None  # a full disk is told once, by the writer
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = driver.level, driver.propagate
    driver.addHandler(handler)
    driver.setLevel(logging.INFO)
    driver.propagate = False
    try:
        yield
    finally:
        driver.level, driver.propagate = before
        driver.removeHandler(handler)
        handler.close()
