"""Rejected images are replaced by others: the next of their class."""

from pathlib import Path

from manyshot.driver.ledger import Ledger, Rejected
from manyshot.driver.plan import with_replacements

from ..support.planned_runs import PROMPT, SEED, plan


def test_a_rejected_image_is_replaced_and_so_is_its_replacement(tmp_path: Path) -> None:
    made, larger = plan(tmp_path, PROMPT | SEED), plan(tmp_path, PROMPT | SEED, images_per_class=10)
    following = [job for job in larger if job.class_name == "cat"]
    ledger = Ledger(tmp_path / "out")
    try:
        assert with_replacements(made, ledger) is made
        ledger.reject([Rejected(following[2].id, 0, None), Rejected("0" * 32, 0, None)])
        assert with_replacements(made, ledger) is made, "nobody asked for it"
        for count in (1, 2):
            ledger.replace_rejected()
            again = with_replacements(made, ledger)
            jobs = [job for job in again if job.class_name == "cat"]
            assert [job.id for job in jobs] == [job.id for job in following[: 8 + count]]
            assert len(again) == 16 + count
            assert again.fingerprint() != made.fingerprint()
            ledger.reject([Rejected(jobs[-1].id, 0, None)])
        ledger.take_back([(job.id, 0) for job in following])
        assert list(with_replacements(made, ledger)) == list(made)
    finally:
        ledger.close()


def test_a_batch_grows_by_the_images_that_replace_others(tmp_path: Path) -> None:
    bind = PROMPT | SEED
    made = plan(tmp_path, bind, images_per_class=6, batch_size=4)
    first = next(iter(made))
    ledger = Ledger(tmp_path / "out")
    try:
        ledger.reject([Rejected(first.id, n, None) for n in range(3)])
        ledger.replace_rejected()
        again = with_replacements(made, ledger)
        kept = {name: [j.keep for j in again if j.class_name == name] for name in ("cat", "dog")}
        assert kept == {"cat": [4, 4, 1], "dog": [4, 2]}
    finally:
        ledger.close()
