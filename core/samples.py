"""The sample photos and masks of the templates, offered where ComfyUI's own nodes look for them."""

from pathlib import Path

from .files import write_atomic
from .paths import inside

SAMPLES = Path(__file__).resolve().parents[1] / "workflows" / "samples"


def copy_samples(folder: Path) -> list[str]:
    """Copy the samples that are not in `folder`, ComfyUI's input folder; their names.

    Load Image offers nothing from elsewhere. A file that is there stays, whatever is in it. Raises
    OSError, and InputError for a link there that leads elsewhere.
    """
    copied = []
    for source in sorted(path for path in SAMPLES.rglob("*") if path.is_file()):
        target = inside(folder, *source.relative_to(SAMPLES).parts)
        if not target.exists():
            write_atomic(target, source.read_bytes())
            copied.append(target.name)
    return copied
