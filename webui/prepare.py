"""Everything that can be known to be wrong is found here, before anything is drawn."""

from pathlib import Path
from typing import Any

from modules import shared

from ..core.errors import InputError
from ..core.files import file_sha256
from ..core.webui_facts import check_side
from ..driver.folder import remove_torn, reopen_missing
from ..driver.ledger import Ledger
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


def take_over(whole: Plan, ledger: Ledger, folder: Path) -> None:
    """Bring ledger and folder in step with the plan.

    Raises InputError for a folder that other settings have filled.
    """
    fingerprint = whole.fingerprint()
    if not ledger.is_planned(fingerprint):
        for _ in ledger.plan(whole, fingerprint):
            pass
    old = ledger.counts().old
    if old:
        raise InputError(
            f"{folder} holds the images of {old} jobs that other settings planned and these do "
            "not. Choose another dataset folder."
        )
    remove_torn(folder)
    ledger.reopen_failed()
    reopen_missing(folder, ledger)


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
