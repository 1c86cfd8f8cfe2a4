"""What half-done work was begun with, kept beside its state: it goes on with nothing else.

A command that resumes keeps `Facts` with its state, and calls `check_begun` before it goes on.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .errors import InputError

Value = str | int | float | bool | None
Facts = Mapping[str, Value]
"""What decides the work, by what a reader calls it ("photos", "rate"); `digest` of content."""
VERSION = "version of manyshot"
DIGEST = "sha256:"


def digest(chunks: Iterable[str | bytes]) -> str:
    """One value that stands for content of any size, in its order."""
    whole = sha256()
    for chunk in chunks:
        data = chunk.encode() if isinstance(chunk, str) else chunk
        whole.update(len(data).to_bytes(8, "little") + data)
    return DIGEST + whole.hexdigest()


def with_version(facts: Facts) -> dict[str, Value]:
    """The facts, and which manyshot did the work."""
    try:
        return {**facts, VERSION: version("manyshot")}
    except PackageNotFoundError:  # used from a node pack folder, not installed
        return dict(facts)


def check_begun(path: Path, before: Facts | None, now: Facts) -> None:
    """Raises InputError when the state in `path` was not begun with the facts of `now`.

    `before`: the facts kept with the state, None when it holds none (of an earlier version).
    """
    if before is None:
        raise InputError(
            f"{path} was started by an earlier version of manyshot that did not record its "
            "settings, so it cannot be resumed. Remove it to start over."
        )
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        changes = ", ".join(_change(name, before.get(name), now.get(name)) for name in names)
        raise InputError(
            f"{path} was started with different settings: {changes}. Restore them to resume, "
            "remove the file to start over, or choose another output."
        )


def _change(name: str, before: Value, now: Value) -> str:
    if any(isinstance(value, str) and value.startswith(DIGEST) for value in (before, now)):
        return f"different {name}"
    return f"{name} was {_text(before)} and is now {_text(now)}"


def _text(value: Value) -> str:
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
