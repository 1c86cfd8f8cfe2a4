"""Options and disks that `start` cannot go on with, in sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.errors import InputError, ManyshotError
from .options import Options, Way


def check_options(options: Options) -> None:
    """Raises InputError for options that contradict each other."""
    assert options.folder is not None
    if options.noun is not None and not options.noun.strip():
        raise InputError('--noun is empty: pass a word for what the classes are, such as "food".')
    if options.base is not None and options.way not in (None, Way.SUBJECTS):
        raise InputError("--base is what subjects are trained on: omit --way or --base.")
    if options.method is not None and options.way not in (None, Way.SUBJECTS):
        raise InputError("--method is for subjects: omit --way or --method.")
    if options.comfyui is not None and options.servers:
        raise InputError("--comfyui starts a server, and --server names one: use only one of them.")
    for name, photos in (("FOLDER", options.folder), ("--test", options.test)):
        if photos is not None and _is_inside(options.output, photos):
            raise InputError(
                f"--output {options.output} is inside {photos} ({name}) and would be taken "
                "for photos next time. Choose another --output."
            )
    if options.test is not None and options.test.resolve() == options.folder.resolve():
        raise InputError(
            "--test is the folder of the photos itself: training photos cannot be test photos."
        )


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


@contextmanager
def sentences_of_disk(folder: Path) -> Iterator[None]:
    """What the disk has against it, in a sentence."""
    try:
        yield
    except OSError as error:
        raise ManyshotError(
            f"{folder} cannot be used: {error}. Free up space, or choose another --output; "
            "finished steps are kept."
        ) from None
