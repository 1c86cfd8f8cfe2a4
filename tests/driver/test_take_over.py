"""A dataset folder between two runs: what was deleted, damaged, rejected, added, lost with its
ledger, or planned by another recipe."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from manyshot.cli import app as root
from manyshot.core.errors import InputError
from manyshot.core.metadata_lines import read_remarks, write_lines
from manyshot.core.record_file import add_records
from manyshot.core.records import read_records
from manyshot.driver.audit import audit
from manyshot.driver.folder import ROW_FIELDS, rows
from manyshot.driver.job import Delivery, Job
from manyshot.driver.ledger import FILE_NAME, Ledger
from manyshot.driver.take_over import Takeover, Wishes, take_over
from manyshot.driver.upkeep import reject, reject_gone, repair, verify
from manyshot.driver.writer import Writer
from typer.testing import CliRunner

from ..support.png_bytes import png

CLASSES = ["cat", "dog"]


class Jobs(list[Job]):
    """A plan of these jobs."""

    def fingerprint(self) -> str:
        return sha256("".join(job.to_json() for job in self).encode()).hexdigest()


def plan(count: int, batch: int = 1, classes: list[str] = CLASSES) -> Jobs:
    """`count` images of each class, `batch` a job."""
    return Jobs(
        Job(sha256(f"{name} {index}".encode()).hexdigest()[:32], name, label, index, "p", "n", 7,
            images=batch, keep=min(batch, count - index))
        for index in range(0, count, batch)
        for label, name in enumerate(classes)
    )  # fmt: skip


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger(folder)
    try:
        yield ledger
    finally:
        ledger.close()


def draw(folder: Path, jobs: Jobs, wishes: Wishes | None = None) -> tuple[Takeover, int]:
    """A whole run, by a server that draws a colour for each image; how many it drew."""
    with opened(folder) as ledger:
        classes = list(dict.fromkeys(job.class_name for job in jobs))
        taken = take_over(folder, jobs, classes, ledger, wishes or Wishes())
        writer = Writer(folder, ledger, lambda error: pytest.fail(str(error)))
        todo = [job for _, job in ledger.open_jobs("", -1, 1000)]
        for job in todo:
            images = [png(int(job.id[:6], 16) ^ n) for n in range(job.images)]
            writer.put(job, Delivery(tuple(images)), "server", 1.0)
        writer.close()
        found = audit(folder, ledger)
        lines = rows(ledger, found.not_there, "graph", lambda job: [])
        write_lines(folder, lines, lambda: read_remarks(folder, ROW_FIELDS))
        assert ledger.counts().pending == 0
        return taken, len(todo)


def pictures(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("images/*/*.png")}


def state(folder: Path) -> dict[str, bytes]:
    """All that a refused plan must leave as it is."""
    with opened(folder) as ledger:
        dump = "\n".join(ledger._db.iterdump()).encode()
    return {**pictures(folder), "dump": dump, "lines": (folder / "metadata.jsonl").read_bytes()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    draw(tmp_path / "out", plan(8))
    return tmp_path / "out"


def first(folder: Path, class_name: str = "cat", number: int = 0) -> Path:
    return sorted(folder.glob(f"images/{class_name}/*.png"))[number]


@pytest.mark.parametrize("batch", [1, 3, 4])
@pytest.mark.parametrize("counts", [(5, 6), (6, 3), (4, 5), (1, 9), (8, 8), (7, 2)])
def test_any_count_becomes_any_other(tmp_path: Path, batch: int, counts: tuple[int, int]) -> None:
    """Exactly the images of the new count are there, and they are those of a new folder."""
    draw(tmp_path / "out", plan(counts[0], batch))
    before = pictures(tmp_path / "out")
    if counts[1] < counts[0]:
        with pytest.raises(
            InputError, match=rf"holds {2 * (counts[0] - counts[1])} images .*prune"
        ):
            draw(tmp_path / "out", plan(counts[1], batch))
        assert pictures(tmp_path / "out") == before
    draw(tmp_path / "out", plan(counts[1], batch), Wishes(prune=True))
    draw(tmp_path / "new", plan(counts[1], batch))
    assert pictures(tmp_path / "out") == pictures(tmp_path / "new")
    assert [r.file_name for r in read_records(tmp_path / "out")] == [
        r.file_name for r in read_records(tmp_path / "new")
    ]
    assert draw(tmp_path / "out", plan(counts[1], batch)) == (Takeover(), 0)


@pytest.mark.parametrize(
    "jobs",
    [
        plan(3),
        plan(8, classes=["cat"]),
        plan(8, classes=["cat", "kitten"]),
        Jobs([*plan(8), *plan(8)]),
        Jobs(job._replace(class_name={"cat": "tom"}.get(job.class_name, "dog")) for job in plan(8)),
    ],
    ids=["fewer", "class removed", "class renamed", "equal jobs", "renamed, with the same ids"],
)
def test_a_refused_plan_changes_nothing(folder: Path, jobs: Jobs) -> None:
    before = state(folder)
    with pytest.raises(InputError):
        draw(folder, jobs)
    assert state(folder) == before
    assert draw(folder, plan(8)) == (Takeover(), 0)


def test_a_class_of_another_place_gets_another_label(folder: Path) -> None:
    jobs = plan(8, classes=["dog", "cat"])
    assert draw(folder, jobs) == (Takeover(), 0)
    assert {(r.class_name, r.label) for r in read_records(folder)} == {("dog", 0), ("cat", 1)}


def test_a_deleted_image_stays_rejected(folder: Path) -> None:
    gone = first(folder)
    gone.unlink()
    assert draw(folder, plan(8)) == (Takeover(thrown_out=1), 0)
    assert not gone.exists()
    assert draw(folder, plan(8)) == (Takeover(), 0)
    assert len(list(read_records(folder))) == 15
    with opened(folder) as ledger:
        assert (ledger.counts().rejected, ledger.images()) == (1, (15, 16))
    assert draw(folder, plan(9))[1] == 2, "of more images, only those are drawn"
    assert not gone.exists()
    assert draw(folder, plan(9), Wishes(redraw=True))[1] == 1
    assert gone.exists()


def test_one_of_a_batch_that_is_drawn_again_stays_rejected(tmp_path: Path) -> None:
    draw(tmp_path, plan(8, 4))
    gone, damaged = first(tmp_path), first(tmp_path, number=1)
    whole = damaged.read_bytes()
    gone.unlink()
    damaged.write_bytes(b"")
    assert draw(tmp_path, plan(8, 4)) == (Takeover(opened=1, damaged=1, thrown_out=1), 1)
    assert not gone.exists()
    assert damaged.read_bytes() == whole


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-4]),
        lambda path: path.write_bytes(png(99)),
        lambda path: path.write_bytes(b"x" * path.stat().st_size),
    ],
    ids=["emptied", "cut", "replaced", "as long, but other"],
)
def test_a_damaged_image_is_made_again(folder: Path, damage: Callable[[Path], object]) -> None:
    before = pictures(folder)
    damage(first(folder))
    assert draw(folder, plan(8)) == (Takeover(opened=1, damaged=1), 1)
    assert pictures(folder) == before


def test_damage_that_neither_size_nor_time_shows_is_found_by_reading(folder: Path) -> None:
    import os

    before, path = pictures(folder), first(folder)
    time = path.stat().st_mtime_ns
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(time, time))
    assert verify(folder, read_data=False).is_good
    found = verify(folder, read_data=True)
    assert found.damaged == (path.relative_to(folder).as_posix(),)
    assert repair(folder).opened == 1
    draw(folder, plan(8))
    assert pictures(folder) == before


@pytest.mark.parametrize("lost", ["images", "images/cat"])
def test_a_lost_folder_is_made_again(folder: Path, lost: str) -> None:
    before = pictures(folder)
    shutil.rmtree(folder / lost)
    assert draw(folder, plan(8))[1] == (16 if lost == "images" else 8)
    assert pictures(folder) == before


def test_most_of_a_class_gone_is_asked_about(folder: Path) -> None:
    for _ in range(5):
        first(folder).unlink()
    before = state(folder)
    with pytest.raises(InputError, match=r"5 of the 8 images of 'cat'.*reject .* --gone.*--redraw"):
        draw(folder, plan(8))
    assert state(folder) == before
    assert reject_gone(folder) == 5
    assert draw(folder, plan(8)) == (Takeover(), 0)
    assert draw(folder, plan(8), Wishes(redraw=True))[1] == 5


def test_rejected_by_command_and_back(folder: Path) -> None:
    path = first(folder)
    assert reject(folder, [str(path)], "blurred") == 1
    (record,) = [r for r in read_records(folder) if not r.kept]
    assert (folder / record.file_name, record.reason) == (path, "blurred")
    assert draw(folder, plan(8)) == (Takeover(), 0)
    assert [r.reason for r in read_records(folder) if not r.kept] == ["blurred"]
    assert verify(folder, read_data=True).rejected == 1
    reject(folder, [record.file_name], None, undo=True)
    assert draw(folder, plan(8)) == (Takeover(), 0)
    assert all(r.kept for r in read_records(folder))
    with pytest.raises(InputError, match="has no image 'images/cat/x.png'"):
        reject(folder, ["images/cat/x.png"], None)


def edit(folder: Path, change: Callable[[dict], dict]) -> None:
    path = folder / "metadata.jsonl"
    lines = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_what_others_write_into_the_records_stays(folder: Path) -> None:
    name = first(folder).relative_to(folder).as_posix()
    mine = {"kept": False, "reason": "ears", "scores": {"iou": 0.5}, "note": "é"}
    edit(folder, lambda line: {**line, **(mine if line["file_name"] == name else {})})
    for _ in range(2):
        draw(folder, plan(8))
        (record,) = [r for r in read_records(folder) if r.file_name == name]
        assert record.model_dump().items() >= mine.items()
    edit(folder, lambda line: {**line, "kept": True})
    draw(folder, plan(8))
    assert all(r.kept for r in read_records(folder))


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_lines_of_save_labelled_stay(tmp_path: Path, when: str) -> None:
    facts = {"class_name": "dog", "prompt": "a dog", "file_name": "images/dog/mine_0.png"}
    if when == "before":
        add_records(tmp_path, [{"class_name": "cat", "file_name": "images/cat/mine_0.png"}, facts])
    else:
        draw(tmp_path, plan(2))
        add_records(tmp_path, [facts])
    added = [line for line in read_records(tmp_path) if "mine" in line.file_name]
    for _ in range(2):
        assert draw(tmp_path, plan(2))[0].others == len(added)
        records = list(read_records(tmp_path))
        assert [r for r in records if "mine" in r.file_name] == added
        assert len(records) == 4 + len(added)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"file_name": "a.png", "text": "a cat"}\n', "'a.png' has no class_name"),
        ('{"file_name": "a.png", "class_name": "fox", "label": 0}\n', "label 0, which is that of"),
        ('{"file_name": "a.png", "class_name": "cat", "label": 1}\n', "label 1"),
        ('{"file_name": "a.png", "class_name": "cat", "label": 3}\n', "label 3, and 0 in the rec"),
        ("[1]\n", "line 1 cannot be read"),
        ("{\n", "line 1 cannot be read"),
        ('{"a": 1}\n', "line 1 cannot be read"),
        ("\x00\x01\n", "line 1 cannot be read"),
    ],
)
def test_lines_that_cannot_stay_are_refused_and_not_lost(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "metadata.jsonl").write_text(text)
    with pytest.raises(InputError, match=words):
        draw(tmp_path, plan(2))
    assert (tmp_path / "metadata.jsonl").read_text() == text
    assert not pictures(tmp_path)


def lose_jobs(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE jobs")
    db.close()


LOSSES: dict[str, Callable[[Path], object]] = {
    "deleted": lambda path: path.unlink(),
    "empty file": lambda path: path.write_bytes(b""),
    "noise": lambda path: path.write_bytes(b"noise" * 4000),
    "table gone": lose_jobs,
}


@pytest.mark.parametrize("metadata", [True, False])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("batch", [1, 4])
def test_a_lost_ledger_is_made_again_from_the_files(
    tmp_path: Path, loss: Callable[[Path], object], batch: int, metadata: bool
) -> None:
    draw(tmp_path, plan(8, batch))
    reject(tmp_path, [str(first(tmp_path))], "blurred")
    before, lines = pictures(tmp_path), list(read_records(tmp_path))
    first(tmp_path, "dog").write_bytes(b"")
    loss(tmp_path / FILE_NAME)
    if not metadata:
        (tmp_path / "metadata.jsonl").unlink()
    assert draw(tmp_path, plan(8, batch))[1] == 1, "only the damaged image is made again"
    assert pictures(tmp_path) == before
    if metadata:
        assert list(read_records(tmp_path)) == lines
    assert draw(tmp_path, plan(8, batch)) == (Takeover(), 0)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_repair_needs_no_recipe(folder: Path, loss: Callable[[Path], object]) -> None:
    loss(folder / FILE_NAME)
    mended = repair(folder)
    assert (mended.restored, mended.opened, mended.condition.whole) == (16, 0, 16)
    assert verify(folder, read_data=True).whole == 16
    assert draw(folder, plan(8)) == (Takeover(), 0)


def test_images_of_a_lost_ledger_that_are_not_planned_need_prune(folder: Path) -> None:
    (folder / FILE_NAME).unlink()
    before = pictures(folder)
    with pytest.raises(InputError, match=r"holds 10 images .*--prune"):
        draw(folder, plan(3))
    assert pictures(folder) == before
    draw(folder, plan(3), Wishes(prune=True))
    assert len(pictures(folder)) == 6


def test_a_copied_folder_is_as_good(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy)
    assert verify(tmp_path / "copy", read_data=True).is_good
    assert draw(tmp_path / "copy", plan(8)) == (Takeover(), 0)


def test_the_folder_of_an_earlier_version_is_taken_on(folder: Path) -> None:
    import sqlite3

    with sqlite3.connect(folder / FILE_NAME) as db:
        db.execute("ALTER TABLE jobs DROP COLUMN files")
        db.execute("DROP TABLE rejected")
    db.close()
    edit(folder, lambda line: {k: v for k, v in line.items() if k not in ("sha256", "server")})
    first(folder).write_bytes(b"")
    assert verify(folder, read_data=False).damaged
    assert draw(folder, plan(8)) == (Takeover(opened=1, damaged=1), 1)
    assert verify(folder, read_data=True).is_good
    assert all(r.sha256 for r in read_records(folder))


def test_a_folder_of_save_labelled_is_verified_by_its_lines(tmp_path: Path) -> None:
    (tmp_path / "images" / "cat").mkdir(parents=True)
    for number in range(3):
        (tmp_path / f"images/cat/a_{number}.png").write_bytes(png(number))
    names = [f"images/cat/a_{number}.png" for number in range(4)]
    add_records(tmp_path, [{"class_name": "cat", "file_name": name} for name in names])
    assert verify(tmp_path, read_data=True).gone == (names[3],)
    with pytest.raises(InputError, match="is not a dataset folder"):
        verify(tmp_path / "images", read_data=False)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_repair_counts_what_metadata_says_is_not_kept(
    folder: Path, loss: Callable[[Path], object]
) -> None:
    edit(folder, lambda line: {**line, "kept": line["class_name"] != "cat", "reason": "grey"})
    loss(folder / FILE_NAME)
    condition = repair(folder).condition
    assert (condition.whole, condition.rejected, condition.planned) == (8, 8, 16)
    with opened(folder) as ledger:
        assert {image.reason for image in ledger.rejections().values()} == {"grey"}


def said(*words: object) -> str:
    return " ".join(CliRunner().invoke(root, [*map(str, words)]).output.split())


def test_verify_names_the_command_that_draws_a_deleted_image_again(folder: Path) -> None:
    first(folder).unlink()
    assert verify(folder, read_data=False).deleted == 1
    deleted = "1 image was deleted and counts as rejected from the next run on. To draw it again: "
    assert f"{deleted}manyshot run RECIPE --redraw." in (text := said("verify", folder))
    assert "Repair it" not in text
    first(folder).write_bytes(b"damaged")
    assert f"{deleted}manyshot run RECIPE --redraw. Repair it: manyshot repair" in (
        said("verify", folder)
    )


def test_verify_of_a_folder_that_no_run_made(folder: Path) -> None:
    edit(folder, lambda line: {**line, "workflow": None})
    (folder / FILE_NAME).unlink()
    first(folder).unlink()
    assert "No run made this folder: restore these files" in said("verify", folder)


def test_undoing_a_rejection_that_was_replaced_says_what_is_too_many(folder: Path) -> None:
    name = first(folder).relative_to(folder).as_posix()
    reject(folder, [name], None)
    with opened(folder) as ledger:
        ledger.replace_rejected()
    text = said("reject", folder, name, "--undo")
    assert text.startswith("1 image is kept. 1 replacement was drawn for it and is more than the ")
    assert "run it with --prune to remove the surplus" in text
    assert said("reject", folder, name, "--undo") == "1 image is kept."
