"""Text files that people give: UTF-8, and a sentence for every other encoding."""

import codecs
from pathlib import Path

from .errors import InputError
from .files import MOST_BYTES, open_regular

# UTF-32 first: its mark begins as that of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_NUL_SHARE = 0.3  # of the bytes, all at even or all at odd places, as Latin letters have in UTF-16
SHOWN = 40


def read_text_file(path: Path, what: str) -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises InputError, calling the file a `what`, for one that cannot be read or has more than
    MOST_BYTES, and as `decode_text` does. FileNotFoundError is the caller's: what may be meant
    depends on the place.
    """
    try:
        with open_regular(path) as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise InputError(f"The {what} {path} is larger than {MOST_BYTES:,} bytes.")
    return decode_text(data, path, what)


def decode_text(data: bytes, path: Path, what: str) -> str:
    """UTF-8 `data` of a file as text, without a byte order mark.

    Raises InputError for another encoding, naming it as far as it shows, and how to save the file.
    """
    encoding = _wide_encoding(data)
    if encoding is None:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            encoding, shown = _single_byte(data, error.start)
    else:
        shown = ""
    raise InputError(
        f"The {what} {path} is not UTF-8, but {encoding}{shown}. Save it as UTF-8: in an "
        f"editor with 'Save as' and the encoding UTF-8, or with 'iconv -f {_ICONV[encoding]} "
        f"-t UTF-8 {path.name} > utf8{path.suffix}'."
    )


_ICONV = {
    "UTF-32": "UTF-32",
    "UTF-16": "UTF-16",
    "UTF-16 (little-endian)": "UTF-16LE",
    "UTF-16 (big-endian)": "UTF-16BE",
    "probably Windows-1252 (Latin-1)": "WINDOWS-1252",
    "probably Latin-1": "ISO-8859-1",
}


def _wide_encoding(data: bytes) -> str | None:
    """The name of an encoding with several bytes a letter: by its mark, or by its zero bytes."""
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    big, little = data[::2].count(0), data[1::2].count(0)
    if marked or len(data) < 4 or max(big, little) < _NUL_SHARE * len(data) or min(big, little):
        return marked
    return f"UTF-16 ({'little' if little else 'big'}-endian)"


def _single_byte(data: bytes, at: int) -> tuple[str, str]:
    """A guess at an encoding with one byte a letter, and how the first line beyond ASCII reads."""
    start = data.rfind(b"\n", 0, at) + 1
    line = data[start:].split(b"\n", 1)[0].strip()[:SHOWN]
    number = data.count(b"\n", 0, at) + 1
    try:
        return (
            "probably Windows-1252 (Latin-1)",
            f": line {number} then reads {line.decode('cp1252')!r}",
        )
    except UnicodeDecodeError:
        return "probably Latin-1", f": line {number} then reads {line.decode('latin-1')!r}"
