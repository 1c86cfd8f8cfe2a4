"""Names that come from users, recipes and servers become paths here, and nowhere else."""

from pathlib import Path, PurePosixPath

from pathvalidate import ValidationError, validate_filename

from .errors import InputError

MAX_NAME_BYTES = 200  # leaves room for suffixes and temporary names under the usual limit of 255


def safe_name(name: str, what: str) -> str:
    """`name` unchanged when it is one plain file or folder name on every platform.

    `what` names the thing in the message ("class name"). Raises InputError for separators, `..`,
    NUL and control characters, reserved names, leading or trailing spaces, a leading dot, and
    more than MAX_NAME_BYTES bytes of UTF-8.
    """
    if name != name.strip():
        raise InputError(_refusal(name, what, "it begins or ends with a space"))
    try:
        validate_filename(name, platform="universal", max_len=MAX_NAME_BYTES)
    except (ValidationError, ValueError) as error:
        raise InputError(_refusal(name, what, _reason(error))) from None
    if name.startswith("."):
        raise InputError(_refusal(name, what, "it begins with a dot"))
    return name


def inside(root: Path, *parts: str) -> Path:
    """The path of `parts` under `root`. Raises InputError if it would lie outside of it."""
    path = root.joinpath(*parts)
    resolved = path.resolve()
    if not resolved.is_relative_to(root.resolve()) or "\0" in str(path):
        raise InputError(f"The path {'/'.join(parts)!r} leads outside the folder {root}.")
    return path


def below(root: Path, name: str) -> Path | None:
    """The path of `name` under `root`, or None where it leads out by its words alone.

    Links beneath `root` are followed wherever they lead: models folders have some.
    """
    relative = Path(name.replace("\\", "/"))
    plain = not relative.is_absolute() and ".." not in relative.parts and "\0" not in name
    return root / relative if plain else None


def relative_name(name: str, what: str) -> PurePosixPath:
    """`name` ("images/cat/1.png", from a server or a record) as a relative path of safe names."""
    segments = name.split("/")
    return PurePosixPath(*(safe_name(segment, what) for segment in segments))


def _reason(error: Exception) -> str:
    """The cause in a few words, without the name itself (it may be long or unprintable)."""
    if isinstance(error, UnicodeError):
        return "it holds half of a character"
    reason = getattr(error, "reason", None)
    return reason.description.rstrip(".").lower() if reason else str(error)


def _refusal(name: str, what: str, reason: str) -> str:
    shown = name if len(name) <= 60 else name[:57] + "..."
    return f"The {what} {shown!r} cannot be used as a file name: {reason}. Choose another name."
