"""kohya's folders: images by class, with captions beside."""

from manyshot.core.records import METADATA

from ..support.export_folders import RING, files, make, run, write


def test_prompts_lie_beside_images_in_one_line_as_captions(tmp_path):
    records = make(tmp_path / "in", [RING, RING, RING])
    changes = [{"prompt": "a cat,\n on a  mat \U0001f431"}, {"prompt": ""}, {"kept": False}]
    write(
        tmp_path / "in",
        [record.model_copy(update=more) for record, more in zip(records, changes, strict=True)],
    )
    source = files(tmp_path / "in")
    assert METADATA in source
    run(tmp_path / "in", "kohya", tmp_path / "out")
    assert files(tmp_path / "out") == {
        "train/10_cat/0.png": source["images/cat/0.png"],
        "train/10_cat/0.txt": "a cat, on a mat \U0001f431\n".encode(),
        "train/10_dog/1.png": source["images/dog/1.png"],
    }
