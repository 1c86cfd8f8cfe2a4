"""The sample photos and masks of the templates, offered where ComfyUI's own nodes look for them."""

from pathlib import Path

from ..core.files import write_atomic
from ..core.paths import inside

SAMPLES = Path(__file__).resolve().parents[1] / "workflows" / "samples"


def copy_samples(folder: Path) -> list[str]:
    """Copy the samples that are not in `folder`, ComfyUI's input folder; their names in order.

    Load Image offers nothing from elsewhere. A file that is there stays, whatever is in it. Raises
    OSError, and InputError for a link there that leads elsewhere.
    """
    files = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
    names = [path.relative_to(SAMPLES).as_posix() for path in files]
    missing = [name for name in names if not folder.joinpath(name).exists()]
    for name in missing:
        write_atomic(inside(folder, *name.split("/")), (SAMPLES / name).read_bytes())
    return missing
