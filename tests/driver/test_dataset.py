"""The dataset folder: what the writer leaves, what is found missing, what the sheets show."""

import errno
import json
from pathlib import Path

import pytest
from manyshot.core.errors import ManyshotError
from manyshot.core.files import remove_partial
from manyshot.core.records import read_records
from manyshot.driver.contact_sheet import write_contact_sheets
from manyshot.driver.dataset import write_manifest, write_metadata
from manyshot.driver.delivered_images import check_delivery
from manyshot.driver.folder import BELOW
from manyshot.driver.job import Delivery, Failure, Job
from manyshot.driver.ledger import Counts, Ledger
from manyshot.driver.prepare import prepare
from manyshot.driver.recipe import parse_recipe
from manyshot.driver.writer import Writer
from PIL import Image

from ..support.png_bytes import png


def job(number: int, class_name: str = "cat", keep: int = 1) -> Job:
    return Job(f"{number:032x}", class_name, int(class_name == "dog"), number, "p", "n", number,
               images=keep, keep=keep)  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    opened = Ledger(tmp_path / "out")
    yield opened
    opened.close()


def write(ledger: Ledger, deliveries: list[tuple[Job, Delivery]]) -> list[ManyshotError]:
    errors: list[ManyshotError] = []
    list(ledger.read_plan([j for j, _ in deliveries]))
    ledger.take_plan("f")
    writer = Writer(ledger.path.parent, ledger, errors.append)
    for one, delivery in deliveries:
        writer.put(one, delivery, "s", 1.0)
    writer.close()
    return errors


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.png"))


def test_images_and_masks_get_their_names_and_the_ledger_knows(ledger):
    folder = ledger.path.parent
    masked = Delivery((png(1), png(2)), (png(3, mode="L"), png(4, mode="L")))
    assert (
        write(ledger, [(job(1, keep=2), masked), (job(2, "dog"), Delivery((png(5), png(6))))]) == []
    )
    assert files(folder) == [
        f"images/cat/{1:032x}_0.png",
        f"images/cat/{1:032x}_1.png",
        f"images/dog/{2:032x}_0.png",
        f"masks/cat/{1:032x}_0.png",
        f"masks/cat/{1:032x}_1.png",
    ]
    assert ledger.counts() == Counts(0, 2, 0, 0)


def test_what_a_killed_run_left_half_written_is_removed(ledger):
    folder = ledger.path.parent
    write(ledger, [(job(1), Delivery((png(),)))])
    for place in (folder, folder / "images" / "cat", folder / "contact_sheets"):
        place.mkdir(exist_ok=True)
        (place / f".{0:032x}.part").write_bytes(b"half")
        (place / f".{1:032x}.part").mkdir()
    (folder / ".others.part").touch()
    remove_partial(folder, BELOW)
    assert [path.name for path in folder.rglob("*.part")] == [".others.part"]
    (folder / ".others.part").unlink()
    assert files(folder) == [f"images/cat/{1:032x}_0.png"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_failing_disk_stops_the_run_and_marks_nothing_as_done(ledger, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "no room here")

    monkeypatch.setattr("manyshot.driver.writer.write_atomic", refuse)
    (error,) = write(ledger, [(job(n), Delivery((png(),))) for n in range(300)])
    assert "no room here" in str(error)
    assert "run the same command again" in str(error)
    assert ledger.counts().done == 0


def test_metadata_has_a_line_for_every_image_in_plan_order(ledger, tmp_path):
    folder = ledger.path.parent
    write(ledger, [(job(2, "dog"), Delivery((png(),))), (job(1, keep=2), Delivery((png(), png())))])
    plan = plan_in(tmp_path)
    write_metadata(folder, ledger, plan)
    records = list(read_records(folder))
    assert [(r.class_name, r.label, r.file_name) for r in records] == [
        ("dog", 1, f"images/dog/{2:032x}_0.png"),
        ("cat", 0, f"images/cat/{1:032x}_0.png"),
        ("cat", 0, f"images/cat/{1:032x}_1.png"),
    ]
    assert {(r.prompt, r.negative, r.seed) for r in records} == {(None, None, None)}, "unbound"
    assert [(folder / r.file_name).exists() for r in records] == [True] * 3
    write_manifest(folder, plan, [{"name": "s"}])
    manifest = json.loads((folder / "manyshot.json").read_text())
    assert manifest["recipe"]["classes"] == ["cat"]
    assert manifest["servers"] == [{"name": "s"}]


def plan_in(folder: Path):
    graph = {"1": {"class_type": "EmptyImage", "inputs": {"color": 0}},
             "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}  # fmt: skip
    (folder / "w.json").write_text(json.dumps(graph))
    recipe = {"workflow": str(folder / "w.json"), "output": str(folder), "classes": ["cat"],
              "bind": {"EmptyImage.color": "$index"}}  # fmt: skip
    return prepare(parse_recipe(recipe, "r"), None)


@pytest.mark.parametrize(
    ("images", "masks", "words"),
    [
        ((png()[:-20],), (), "damaged"),
        ((png(size=(64, 64), colour=7)[:60],), (), "damaged"),
        ((b"<html>",), (), "damaged"),
        ((b"",), (), "damaged"),
        ((png(),), (png(size=(4, 8)),), "Mask 0 is (4, 8), its image is (8, 8)"),
    ],
)
def test_damaged_pictures_are_failures(images, masks, words):
    outcome = check_delivery(images, masks)
    assert isinstance(outcome, Failure)
    assert outcome.kind == "incomplete"
    assert words in outcome.reason


def test_whole_png_files_stay_as_they_are_and_others_become_png():
    kept, other = png(9), png(9, form="WEBP")
    outcome = check_delivery((kept, other), ())
    assert isinstance(outcome, Delivery)
    assert outcome.images[0] == kept
    assert outcome.images[1].startswith(b"\x89PNG")


def test_contact_sheets_show_every_class(tmp_path):
    assert write_contact_sheets(tmp_path) is None
    for number, name in enumerate(["cat", "dog", "a much too long class name for a row"]):
        for index in range(3 + number):
            place = tmp_path / "images" / name / f"{index}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(png((number + 1) * 0x3F3F3F, size=(200, 100)))
    overview = write_contact_sheets(tmp_path)
    assert overview is not None
    with Image.open(overview) as sheet:
        seen = {colour for _, colour in sheet.convert("RGB").getcolors(1 << 20) or ()}
    assert {(0x3F,) * 3, (0x7E,) * 3, (0xBD,) * 3} <= seen
    assert len(list((tmp_path / "contact_sheets").iterdir())) == 3
