"""A short soak: thousands of jobs with a server that breaks and a driver that is killed.

`python benchmarks/soak.py` does the same for hours.
"""

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest
from manyshot.driver.embedded import EmbeddedServer

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "soak.py"


@pytest.fixture(scope="module")
def soak() -> ModuleType:
    spec = importlib.util.spec_from_file_location("soak", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_set_is_exact_after_kills_and_brown_outs(soak: ModuleType, tmp_path: Path) -> None:
    trial = soak.Trial(jobs=3_000, kills=2, trouble=3, longest=2, look=0.2)
    with soak.quick_server() as server:
        seen = soak.soak(server, tmp_path, trial, random.Random(7))
    assert (seen.exit_code, seen.wrong, seen.done) == (0, [], 3_000)
    assert seen.driver_kills == 2
    assert seen.server_kills + seen.brown_outs > 0
    figures = seen.figures()
    assert figures["descriptors"][1] < 40
    assert figures["threads"][1] < 40
    assert figures["most_memory"] < 200


@pytest.mark.slow
@pytest.mark.server
def test_the_set_is_exact_on_a_real_server(
    soak: ModuleType, tmp_path: Path, comfyui: EmbeddedServer
) -> None:
    trial = soak.Trial(jobs=300, kills=1, trouble=2, longest=1, look=0.1, server_kills=False)
    seen = soak.soak(comfyui, tmp_path, trial, random.Random(7))
    assert (seen.exit_code, seen.wrong, seen.done, seen.driver_kills) == (0, [], 300, 1)


def test_a_slope_is_that_of_all_lives_after_their_start(soak: ModuleType) -> None:
    """2 MB a thousand jobs in each of two lives, whose levels and beginnings differ."""
    samples = [
        soak.Sample(life, done, 50 + 30 * life + 2 * done / 1000 + 100 * (done < 500), 1, 1)
        for life in (0, 1)
        for done in range(life * 10_000, life * 10_000 + 8_000, 100)
    ]
    assert soak.memory_slope(samples[:80]) == pytest.approx(2)
    assert soak.memory_slope(samples) == pytest.approx(2)
    assert soak.memory_slope(samples[:15]) == 0  # too few to say


def test_what_is_missing_changed_or_not_planned_is_seen(soak: ModuleType, tmp_path: Path) -> None:
    with soak.quick_server() as server:
        trial = soak.Trial(jobs=4, kills=0, trouble=1e9, look=0.1)
        seen = soak.soak(server, tmp_path, trial, random.Random(1))
        assert seen.wrong == []
    first, second, *_ = sorted((tmp_path / "set" / "images" / "colour").iterdir())
    first.write_bytes(second.read_bytes())
    second.rename(second.with_name("x.png"))
    found = soak.differences(tmp_path / "view.yaml")
    assert sorted(sentence.partition(":")[0] for sentence in found) == [
        "missing",
        "not planned",
        "wrong pixels",
    ]
