"""Work goes on only with what it was begun with, and by one process at a time."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manyshot.core.begun import Value, check_begun, digest, with_version
from manyshot.core.errors import InputError
from manyshot.core.sole_use import sole_use

PLACE = Path("out/rex.training")
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FACTS: dict[str, Value] = {"photos": digest(["a"]), "rate": 0.001, "noun": "dog", "gamma": None}

CHANGES: list[tuple[dict[str, Value], str]] = [
    ({"photos": digest(["b"])}, "different photos"),
    ({"rate": 0.1}, "rate was 0.001 and is now 0.1"),
    ({"noun": "cat"}, "noun was dog and is now cat"),
    ({"gamma": 5.0}, "gamma was not set and is now 5"),
    ({"photos": digest([]), "rate": 1}, "different photos, rate was 0.001 and is now 1"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES)
def test_what_differs_is_named_with_the_way_out(change: dict[str, Value], said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_begun(PLACE, FACTS, {**FACTS, **change})
    assert str(caught.value) == (
        f"{PLACE} was started with different settings: {said}. Restore them to resume, "
        "remove the file to start over, or choose another output."
    )


@given(st.dictionaries(st.text(), values))
def test_the_same_facts_go_on(facts: dict[str, Value]) -> None:
    check_begun(PLACE, dict(facts), facts)
    assert "version of manyshot" in with_version(facts)


def test_state_that_does_not_say_is_refused() -> None:
    with pytest.raises(InputError, match="did not record its settings"):
        check_begun(PLACE, None, FACTS)


@given(st.lists(st.binary()), st.lists(st.binary()))
def test_digests_are_equal_for_equal_parts_alone(one: list[bytes], other: list[bytes]) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_a_folder_is_used_by_one_at_a_time(tmp_path: Path) -> None:
    busy = pytest.raises(InputError, match=r"Another manyshot is using .*new\. Wait")
    with sole_use(tmp_path / "new"), busy, sole_use(tmp_path / "new"):
        pass
    with sole_use(tmp_path / "new"):
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unusable = pytest.raises(InputError, match=r"The folder .*file.* cannot be used")
    with unusable, sole_use(tmp_path / "file"):
        pass
