"""Files that go away while a run goes on: a sentence, exit 1, and no record of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from manyshot.cli.run import _changes
from manyshot.core.dataset_files import MANIFEST
from manyshot.core.records import read_records
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.recipe import Recipe
from manyshot.driver.run import Summary
from manyshot.driver.take_over import Wishes

from ..support.fault_runs import colours, drive, images, is_whole, slow, wait_for

pytestmark = pytest.mark.server
COUNT = 8


def written(recipe: Recipe) -> list[Path]:
    return sorted(recipe.output.glob("images/*/*.png"))


def losing(recipe: Recipe, lose: Callable[[list[Path]], object]) -> Summary:
    """Run it; as soon as two images are there, `lose` is given them."""

    def act() -> None:
        assert wait_for(lambda: len(written(recipe)) >= 2)
        lose(written(recipe)[:2])

    return drive(recipe, (images(2), act))


def has_records_of_files_alone(recipe: Recipe) -> None:
    names = {record.file_name for record in read_records(recipe.output)}
    assert names == {path.relative_to(recipe.output).as_posix() for path in written(recipe)}


def test_a_file_deleted_in_mid_run(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    recipe = colours(tmp_path, [comfyui.url], COUNT, slow(0.05))
    summary = losing(recipe, lambda paths: paths[0].unlink())
    assert (summary.exit_code, summary.done, summary.gone) == (1, COUNT - 1, 1)
    (sentence,) = _changes(summary)
    assert sentence == (
        "1 image was removed or changed during the run. Run the same command again."
    )
    has_records_of_files_alone(recipe)
    again = drive(recipe)
    assert (again.exit_code, again.taken.thrown_out, len(written(recipe))) == (0, 1, COUNT - 1)
    assert drive(recipe, wishes=Wishes(redraw=True)).exit_code == 0
    is_whole(recipe)


def test_a_file_changed_in_mid_run(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    recipe = colours(tmp_path, [comfyui.url], COUNT, slow(0.05))
    summary = losing(recipe, lambda paths: paths[0].write_bytes(b"torn"))
    assert (summary.exit_code, summary.done, summary.damaged) == (1, COUNT - 1, 1)
    assert len(list(read_records(recipe.output))) == COUNT - 1
    assert drive(recipe).exit_code == 0
    is_whole(recipe)


def test_a_class_folder_removed_in_mid_run(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    recipe = colours(tmp_path, [comfyui.url], COUNT, slow(0.05))
    summary = losing(recipe, lambda paths: shutil.rmtree(paths[0].parent))
    assert summary.exit_code == 1
    assert summary.stopped or summary.gone
    has_records_of_files_alone(recipe)
    assert drive(recipe, wishes=Wishes(redraw=True)).exit_code == 0
    is_whole(recipe)


def test_the_dataset_folder_removed_in_mid_run(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    recipe = colours(tmp_path, [comfyui.url], COUNT, slow(0.05))
    summary = losing(recipe, lambda paths: shutil.rmtree(recipe.output))
    assert summary.exit_code == 1
    assert summary.stopped or summary.gone
    has_records_of_files_alone(recipe)
    assert drive(recipe, wishes=Wishes(redraw=True)).exit_code == 0
    is_whole(recipe)


def test_the_servers_that_drew_are_credited(tmp_path: Path, comfyui: EmbeddedServer) -> None:
    """One server under two names; one that no run reached has drawn nothing."""
    first, second = comfyui.url, comfyui.url.replace("127.0.0.1", "localhost")
    assert first != second
    assert drive(colours(tmp_path, [first], 2)).exit_code == 0
    recipe = colours(tmp_path, [second], 5)
    assert drive(recipe).exit_code == 0
    assert drawn_by(recipe) == [first, first, second, second, second]
    assert credited(recipe) == {first, second}
    for path in written(recipe):
        if records_of(recipe)[path.name] == first:
            path.unlink()
    assert drive(recipe, wishes=Wishes(redraw=True)).exit_code == 0
    assert set(drawn_by(recipe)) == credited(recipe) == {second}
    assert drive(colours(tmp_path, [first], 5)).exit_code == 0
    assert credited(recipe) == {second}


def drawn_by(recipe: Recipe) -> list[str | None]:
    return [record.server for record in read_records(recipe.output)]


def records_of(recipe: Recipe) -> dict[str, str | None]:
    return {Path(r.file_name).name: r.server for r in read_records(recipe.output)}


def credited(recipe: Recipe) -> set[str]:
    content = json.loads((recipe.output / MANIFEST).read_text())
    return {server["name"] for server in content["servers"]}
