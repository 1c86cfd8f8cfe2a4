"""Everything that can be known to be wrong is found here, before anything is drawn."""

from pathlib import Path
from typing import Any

from modules import shared

from ..core.errors import InputError
from ..core.files import hash_file
from ..core.paths import inside
from ..core.webui_facts import check_side
from . import host
from .pixels import fact, option_facts, processing_facts
from .script_plan import Plan, plan
from .script_settings import PATHS, Settings, is_absolute


def prepare(p: Any, settings: Settings) -> tuple[Plan, host.Checkpoint]:
    """The plan of a dataset and the checkpoint that draws it.

    Raises InputError for whatever does not fit together, or is not there.
    """
    if not settings.output:
        raise InputError("Name the dataset folder ('output').")
    _check_paths(settings)
    _check_size(p)
    checkpoint = host.checkpoint(p)
    whole = plan(settings, p, _facts(p, checkpoint))
    _check_files(whole)
    if settings.masks:
        host.give_control(host.copy_processing(p), {})
        host.check_control_model(settings.control_model)
    return whole, checkpoint


def _check_paths(settings: Settings) -> None:
    """Where others use the WebUI, folders lie below the one that it runs in."""
    if not host.is_shared():
        return
    for name in PATHS:
        path = getattr(settings, name)
        if is_absolute(path):
            raise InputError(
                "This WebUI is open to others (--share, --listen) or hides its folders "
                f"(--hide-ui-dir-config): {name!r} cannot be an absolute path. Use one "
                "inside the WebUI's folder, such as outputs/pets."
            )
        inside(Path.cwd(), path)


def _facts(p: Any, checkpoint: host.Checkpoint) -> dict[str, Any]:
    return {
        "processing": processing_facts(p),
        "options": option_facts(shared.opts, p),
        "checkpoint": checkpoint.digest,
        "scripts": [[title, fact(args)] for title, args in host.other_scripts(p)],
    }


def _check_size(p: Any) -> None:
    for name, side in (("width", p.width), ("height", p.height)):
        check_side(f"The {name} {side}", side)


def _check_files(whole: Plan) -> None:
    """The WebUI must have each subject, the same one."""
    for subject in {subject.path: subject for subject in whole.subjects.values()}.values():
        inverted = subject.file.method == "textual_inversion"
        token = subject.subject.token
        there = host.embedding_file(token) if inverted else host.network_file(subject.path.stem)
        if hash_file(there) != subject.digest:
            raise InputError(
                f"The WebUI's {there} differs from your file {subject.path}. Replace it "
                "with a copy of your file."
            )
