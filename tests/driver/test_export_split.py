"""Which images are for validation."""

from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.records import Record
from manyshot.driver.export.split import validation_names

from ..support.export_folders import CLASSES, QUICK


@QUICK
@given(st.integers(2, 30), st.floats(0.1, 0.6), st.integers())
def test_validation_is_a_share_of_each_class_by_seed_alone(count, share, seed):
    records = [
        Record(file_name=f"{name}/{n}", class_name=name, label=label)
        for label, name in enumerate(CLASSES)
        for n in range(count)
    ]
    if not 0 < round(share * count) < count:
        return
    found = validation_names(records, share, seed)
    assert found == validation_names(records[::-1], share, seed)
    for name in CLASSES:
        assert sum(file.startswith(name) for file in found) == round(share * count)


def test_images_of_one_source_stay_together():
    records = [
        Record(file_name=str(n), class_name="cat", label=0, source_image=f"{n // 4}.png")
        for n in range(40)
    ]
    found = validation_names(records, 0.25, 0)
    assert len(found) == 8  # 10 have room, groups have 4
    assert len({int(name) // 4 for name in found}) == 2
    assert len({validation_names(records, 0.25, seed) for seed in range(9)}) > 1


def test_composed_scenes_stay_with_all_their_sources():
    records = [
        Record(
            file_name=str(n), class_name="cat", label=0, source_images=(f"{n // 4}", f"{n // 8}+")
        )
        for n in range(40)
    ]
    found = validation_names(records, 0.25, 0)
    assert len({int(name) // 8 for name in found}) == len(found) / 8 == 1


def test_images_of_one_job_that_several_nodes_brought_stay_together():
    records = [
        Record(file_name=f"images/cat/{job:032x}_{n}.png", class_name="cat", label=0,
               node="Base" if n == 0 else "Upscaled")
        for job in range(8)
        for n in range(2)
    ]  # fmt: skip
    for seed in range(5):
        chosen = validation_names(records, 0.25, seed)
        assert len(chosen) == 4
        assert all(f"{name[:-6]}_{n}.png" in chosen for name in chosen for n in range(2))


def test_twins_of_a_sweep_stay_together():
    records = [
        Record(
            file_name=f"{seed}-{cfg}", class_name="cat", label=0, seed=seed, sweep={"K.cfg": cfg}
        )
        for seed in range(8)
        for cfg in (3, 7)
    ]
    for number in range(5):
        chosen = validation_names(records, 0.25, number)
        assert len(chosen) == 4
        assert {name[:-1] + other for name in chosen for other in "37"} == chosen
