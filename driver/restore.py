"""A ledger that is lost or damaged is made again from the files, which are named by their jobs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..core.dataset_files import MANIFEST, mask_name
from ..core.errors import InputError
from ..core.json_text import parse_json, read_json
from ..core.metadata_lines import OWN_NAME, encode_line, is_own, read_lines
from ..core.paths import safe_name
from .audit import Facts, is_png, read_file_facts
from .job import Job
from .ledger import Ledger
from .ledger_file import salvage_rejections
from .ledger_reader import Done, Rejected

Line = Mapping[str, Any]
NOT_KEPT = "kept is false in metadata.jsonl"


def restore(folder: Path, ledger: Ledger) -> int:
    """Put the jobs into an empty ledger whose whole images, from the first on, lie in the folder.

    What metadata.jsonl says of an image stays with it; a file that is damaged, or is not the one
    that metadata.jsonl tells the sha256 of, is left out, so that it is made again, and so is a job
    whose mask is damaged or gone. Returns how
    many jobs were found.
    """
    # Encoded once, no text holds half a character, which SQLite refuses.
    lines = {line["file_name"]: parse_json(encode_line(line)) for line in read_lines(folder)}
    jobs = list(_jobs(folder, lines))
    ledger.restore(jobs)
    rejected = [Rejected(*row) for row in salvage_rejections(folder)]
    ledger.reject([*rejected, *_read_rejections(folder), *_not_kept(lines)])
    return len(jobs)


def _not_kept(lines: Mapping[str, Line]) -> Iterator[Rejected]:
    """The images that metadata.jsonl says are not kept."""
    for name, line in lines.items():
        match = OWN_NAME.fullmatch(name)
        if match and is_own(line) and line.get("kept") is False:
            yield Rejected(match[2], int(match[3]), str(line.get("reason") or NOT_KEPT))


def _read_rejections(folder: Path) -> Iterator[Rejected]:
    """The rejected images that manyshot.json names, for their files are gone."""
    try:
        names = read_json(folder / MANIFEST)["rejected"]
        matches = [(OWN_NAME.fullmatch(name), reason) for name, reason in names.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    for match, reason in matches:
        if match:
            yield Rejected(match[2], int(match[3]), str(reason))


def _jobs(folder: Path, lines: Mapping[str, Line]) -> Iterator[tuple[Job, Done]]:
    for (class_name, job_id), names in _by_job(folder, lines).items():
        images = _facts(folder, names, lines)
        shown = [mask_name(class_name, job_id, n) for n in range(len(images))]
        masks = _facts(folder, shown, {})
        pairs = zip(names[len(masks) :], shown[len(masks) :], strict=False)
        lost = any(_had_mask(folder, image, mask, lines) for image, mask in pairs)
        if images and not lost:
            yield (
                _job(class_name, job_id, names[: len(images)], lines),
                _make_done(
                    job_id, images, masks, [lines.get(name, {}) for name in names[: len(images)]]
                ),
            )


def _had_mask(folder: Path, image: str, mask: str, lines: Mapping[str, Line]) -> bool:
    return (folder / mask).exists() or lines.get(image, {}).get("mask_file_name") is not None


def _by_job(folder: Path, lines: Mapping[str, Line]) -> dict[tuple[str, str], list[str]]:
    """(class name, job id) -> its image files from number 0 on, without a gap."""
    numbers: dict[tuple[str, str], set[int]] = {}
    for path in sorted(folder.glob("images/*/*.png")):
        name = path.relative_to(folder).as_posix()
        match = OWN_NAME.fullmatch(name)
        if match and (name not in lines or is_own(lines[name])) and _is_safe(match[1]):
            numbers.setdefault((match[1], match[2]), set()).add(int(match[3]))
    return {
        (class_name, job_id): [
            f"images/{class_name}/{job_id}_{n}.png"
            for n in range(len(present))
            if {*range(n + 1)} <= present
        ]
        for (class_name, job_id), present in numbers.items()
    }


def _is_safe(class_name: str) -> bool:
    try:
        safe_name(class_name, "class name")
    except InputError:
        return False
    return True


def _facts(folder: Path, names: list[str], lines: Mapping[str, Line]) -> list[Facts]:
    """Of the files up to the first that is missing or not whole."""
    facts_list: list[Facts] = []
    for name in names:
        path = folder / name
        if path.is_symlink() or not is_png(path):
            break
        facts = read_file_facts(path)
        if lines.get(name, {}).get("sha256") not in (None, facts[0]):
            break
        facts_list.append(facts)
    return facts_list


def _job(class_name: str, job_id: str, names: list[str], lines: Mapping[str, Line]) -> Job:
    """As far as metadata.jsonl knows it; a plan knows better."""
    line = lines.get(names[0], {})
    sweep, seed, label = line.get("sweep"), line.get("seed"), line.get("label")
    return Job(
        id=job_id,
        class_name=class_name,
        label=label if isinstance(label, int) else 0,
        first_index=0,
        prompt=str(line.get("prompt") or ""),
        negative=str(line.get("negative") or ""),
        seed=seed if isinstance(seed, int) else 0,
        images=len(names),
        keep=len(names),
        token=str(line["subject"]) if line.get("subject") else None,
        sweep=sweep if isinstance(sweep, dict) else {},
        nodes=_nodes([lines.get(name, {}) for name in names]),
    )


def _nodes(lines: list[Line]) -> list[str]:
    """The save node of each image, where all lines name theirs."""
    nodes = [line.get("node") for line in lines]
    return [str(node) for node in nodes] if all(nodes) else []


def _make_done(job_id: str, images: list[Facts], masks: list[Facts], lines: list[Line]) -> Done:
    objects = [line.get("objects") or [] for line in lines]
    server = next((str(line["server"]) for line in lines if line.get("server")), "unknown")
    files = json.dumps({"images": images, "masks": masks})
    shown = json.dumps(objects) if masks else None
    return Done(job_id, len(images), len(masks), server, 0.0, shown, files)
