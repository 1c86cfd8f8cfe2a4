"""Everything that can be known to be wrong is found here, before anything is drawn."""

from typing import Any

from modules import shared

from ..core.errors import InputError
from ..core.files import file_sha256
from ..core.webui_facts import check_side
from . import host
from .pixels import fact, option_facts, processing_facts
from .plan import Plan, plan
from .settings import Settings


def prepare(p: Any, settings: Settings) -> tuple[Plan, host.Checkpoint]:
    """The plan of a dataset and the checkpoint that draws it.

    Raises InputError for whatever does not fit together, or is not there.
    """
    if not settings.output:
        raise InputError("Name the dataset folder ('output').")
    _check_size(p)
    checkpoint = host.checkpoint(p)
    whole = plan(settings, p, _facts(p, checkpoint))
    _check_files(whole)
    if settings.masks:
        host.give_control(host.copied(p), {})
        host.check_control_model(settings.control_model)
    return whole, checkpoint


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
    for one in {one.path: one for one in whole.subjects.values()}.values():
        inverted = one.file.method == "textual_inversion"
        token = one.subject.token
        there = host.embedding_file(token) if inverted else host.network_file(one.path.stem)
        if file_sha256(there) != one.digest:
            raise InputError(
                f"The WebUI's {there} is another file than {one.path}. Copy that one over it."
            )
