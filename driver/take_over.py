"""A dataset folder is brought in step with a plan, before anything is drawn.

What the plan would leave over is refused or removed, what the owner rejected stays rejected, what
is lost or damaged is opened again. Until all of that is clear nothing of the folder is changed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..core.counted import pluralize
from ..core.dataset_files import mask_name
from ..core.errors import InputError
from ..core.files import remove_partial
from ..core.metadata_lines import OWN_NAME, Remarks, check_foreign_lines, read_remarks
from .audit import Audit, audit, list_files
from .folder import BELOW, ROW_FIELDS, remove_files
from .job import Job, check_distinct
from .ledger import Ledger
from .ledger_reader import ImageKey, Rejected
from .restore import NOT_KEPT, restore

Progress = Callable[[int, int], None]


class Jobs(Protocol):
    """A plan, of a recipe or of the WebUI's extension."""

    def __iter__(self) -> Iterator[Job]: ...
    def __len__(self) -> int: ...
    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class Wishes:
    """What the owner asked for beside the plan. `prune`: remove what it does not have. `redraw`:
    make again what was deleted. `replace`: draw another image for each that is rejected.
    `advice`: what to do about images of another plan."""

    prune: bool = False
    redraw: bool = False
    replace: bool = False
    advice: str = "Choose another output, or remove them with --prune."


NO_WISHES = Wishes()


@dataclass(frozen=True)
class Takeover:
    """What was found. Counts of images, but `opened`, which are jobs: of files gone or damaged."""

    opened: int = 0
    damaged: int = 0
    thrown_out: int = 0
    removed: int = 0
    others: int = 0


def take_over(
    folder: Path,
    plan: Jobs,
    class_names: Sequence[str],
    ledger: Ledger,
    wishes: Wishes = NO_WISHES,
    progress: Progress = lambda read, of: None,
) -> Takeover:
    """Make `plan` the folder's, which `ledger` has open; see the module.

    Raises InputError, and nothing is changed, for equal jobs, for images of another plan without
    `prune`, for lines of others in metadata.jsonl that do not fit, and for lost images of which
    nobody can know whether they are rejected.
    """
    remarks = read_remarks(folder, ROW_FIELDS)
    check_foreign_lines(folder, remarks.foreign_lines, class_names)
    if ledger.is_empty():
        restore(folder, ledger)
    state = audit(folder, ledger)
    thrown_out = [] if wishes.redraw else state.reject_deleted(folder)
    planned = ledger.is_planned(plan.fingerprint())
    leftovers: list[str] = []
    if not planned:
        for read in ledger.read_plan(plan):
            progress(read, len(plan))
        check_distinct(ledger.equal_jobs(), len(plan))
        leftovers = _list_unplanned(ledger)
    leftovers += _strays(folder, ledger, remarks)
    removed = _prune(folder, leftovers, wishes)
    if not planned:
        ledger.take_plan(plan.fingerprint())
    remove_partial(folder, BELOW)
    ledger.reject(thrown_out)
    _follow(ledger, remarks, state)
    if wishes.redraw:
        ledger.take_back(state.absent)
    ledger.note_files(state.touched.items())
    ledger.reopen_failed()
    opened = _reopen(ledger, state, wishes.redraw)
    damaged = sum(file.kind == "images" for file in state.damaged)
    return Takeover(opened, damaged, len(thrown_out), removed, len(remarks.foreign_lines))


def _list_unplanned(ledger: Ledger) -> list[str]:
    """The files that the plan which was read does not have."""
    names = [file.name for row in ledger.old_files() for file in list_files(*row)]
    for job_id, class_name, images, masks, keep in ledger.surplus_files():
        names += [f.name for f in list_files(job_id, class_name, images, masks) if f.number >= keep]
    return names


def _strays(folder: Path, ledger: Ledger, remarks: Remarks) -> list[str]:
    """Files that are named by a job of ours which neither the ledger nor the plan knows."""
    foreign_names = {line["file_name"] for line in remarks.foreign_lines}
    names: list[str] = []
    for path in sorted(folder.glob("images/*/*.png")):
        name = path.relative_to(folder).as_posix()
        match = OWN_NAME.fullmatch(name)
        if match and name not in foreign_names and not ledger.knows(match[2]):
            names += [name, mask_name(match[1], match[2], int(match[3]))]
    return names


def _prune(folder: Path, names: list[str], wishes: Wishes) -> int:
    """Remove these files, if there are any and it was asked for; returns how many images."""
    images = sum(name.startswith("images/") and (folder / name).exists() for name in names)
    if images and not wishes.prune:
        raise InputError(
            f"{folder} holds {pluralize(images, 'image')} that an earlier recipe planned and "
            "this one does not, or that replaced rejected images which are kept again. "
            f"{wishes.advice} Nothing was changed."
        )
    remove_files(folder, names)
    return images


def _follow(ledger: Ledger, remarks: Remarks, state: Audit) -> None:
    """What metadata.jsonl says of kept, by whose hand ever, is so."""
    rejected = ledger.rejections()
    refused: list[Rejected] = []
    restored: list[ImageKey] = []
    for name, (is_kept, reason) in remarks.reviews.items():
        match = OWN_NAME.fullmatch(name)
        key = (match[2], int(match[3])) if match else None
        if key is None:
            continue
        if not is_kept and key not in rejected:
            refused.append(Rejected(*key, reason or NOT_KEPT))
        elif is_kept and key in rejected and key not in state.not_there:
            restored.append(key)
    ledger.reject(refused)
    ledger.take_back(restored)
    ledger.reopen(key[0] for key in restored)


def _reopen(ledger: Ledger, state: Audit, redraw: bool) -> int:
    """Open the jobs that have to be drawn again; returns how many."""
    again = state.to_make_again(ledger.rejections())
    if redraw:
        again = list(dict.fromkeys([*again, *(job_id for job_id, _ in state.absent)]))
    ledger.reopen(again)
    return len(again)
