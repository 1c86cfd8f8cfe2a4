"""Several save nodes in one job: `save` as a list."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from manyshot.core.errors import InputError
from manyshot.core.records import read_records
from manyshot.driver import ledger_file
from manyshot.driver.embedded.embedded_server import EmbeddedServer
from manyshot.driver.job import Failure, Job
from manyshot.driver.prepare import prepare
from manyshot.driver.preview import preview_lines
from manyshot.driver.run import run
from manyshot.driver.take_over import Wishes
from manyshot.driver.targets.comfyui.completion import (
    FileRef,
    Finished,
    Watch,
    apply_event,
    complete,
)
from manyshot.driver.targets.comfyui.events import Event
from manyshot.driver.upkeep import reject, repair, verify
from manyshot.driver.workflow.graph import Graph
from manyshot.driver.workflow.save_nodes import deliver, delivering_nodes
from PIL import Image

from ..support.fault_runs import GRAPH, Scenes, colours

SMALL, LARGE = 16, 32


def two_sizes(**batch: int) -> dict[str, Any]:
    """The colour at 16 px from Base, and at 32 px from Upscaled."""
    scaled = {"image": ["1", 0], "upscale_method": "nearest-exact", "scale_by": 2.0}
    nodes: dict[str, Any] = json.loads(json.dumps(GRAPH))
    nodes["1"]["inputs"] |= {"batch_size": 1, **batch}
    nodes["9"]["_meta"] = {"title": "Base"}
    nodes["5"] = {"class_type": "ImageScaleBy", "inputs": scaled}
    nodes["10"] = {
        "class_type": "SaveImage",
        "inputs": {"images": ["5", 0], "filename_prefix": "x"},
        "_meta": {"title": "Upscaled"},
    }
    return nodes


BOTH = ["Base", "Upscaled"]


def sizes(folder: Path) -> list[tuple[str | None, int]]:
    """(node, width) of each record of a dataset folder."""
    found = []
    for record in read_records(folder):
        with Image.open(folder / record.file_name) as image:
            found.append((record.node, image.width))
    return found


def refusal(tmp_path: Path, nodes: dict[str, Any] | None = None, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        prepare(colours(tmp_path, ["http://127.0.0.1:9"], nodes=nodes or two_sizes(), **more), None)
    return str(caught.value)


@pytest.mark.server
@pytest.mark.parametrize("transport", ["websocket", "view"])
def test_each_job_brings_an_image_of_each_node(
    comfyui: EmbeddedServer, tmp_path: Path, transport: str, hasty: None
) -> None:
    def recipe(count: int) -> Any:
        return colours(tmp_path, [comfyui.url], count, two_sizes(), save=BOTH, transport=transport)

    made, out = run(recipe(6), Scenes()), tmp_path / "out"
    assert (made.exit_code, made.done, made.planned, made.counts.planned) == (0, 6, 6, 3)
    assert sizes(out) == [("Base", SMALL), ("Upscaled", LARGE)] * 3
    assert len({record.file_name for record in read_records(out)}) == 6
    assert (verify(out, True).whole, verify(out, True).planned) == (6, 6)
    again = run(recipe(6), Scenes())
    assert (again.exit_code, again.progress.images, again.done) == (0, 0, 6)
    fewer = run(recipe(2), Scenes(), wishes=Wishes(prune=True))
    assert (fewer.exit_code, fewer.done, fewer.taken.removed) == (0, 2, 4)
    assert len(list(out.glob("images/*/*.png"))) == 2


@pytest.mark.server
@pytest.mark.parametrize("transport", ["websocket", "view"])
def test_nodes_take_turns_within_a_batch(
    comfyui: EmbeddedServer, tmp_path: Path, transport: str, hasty: None
) -> None:
    recipe = colours(
        tmp_path, [comfyui.url], 6, two_sizes(batch_size=2), save=BOTH, transport=transport
    )
    made = run(recipe, Scenes())
    assert (made.exit_code, made.done, made.counts.planned) == (0, 6, 2)
    assert sizes(tmp_path / "out") == [("Base", SMALL), ("Upscaled", LARGE)] * 3


@pytest.mark.server
def test_lost_deleted_and_rejected_images_of_a_node(
    comfyui: EmbeddedServer, tmp_path: Path, hasty: None
) -> None:
    recipe, out = colours(tmp_path, [comfyui.url], 6, two_sizes(), save=BOTH), tmp_path / "out"
    run(recipe, Scenes())
    names = [record.file_name for record in read_records(out)]
    for path in out.glob(".manyshot.sqlite*"):
        path.unlink()
    mended = repair(out)
    assert (mended.restored, mended.condition.whole) == (3, 6)
    (out / names[1]).write_bytes(b"damaged")
    assert verify(out, False).damaged == (names[1],)
    assert run(recipe, Scenes()).exit_code == 0
    assert sizes(out) == [("Base", SMALL), ("Upscaled", LARGE)] * 3
    reject(out, [names[1]], "blurred")
    assert run(recipe, Scenes()).exit_code == 0
    replaced = run(recipe, Scenes(), wishes=Wishes(replace=True))
    assert (replaced.exit_code, replaced.counts.rejected, replaced.done) == (0, 1, 7)
    assert sizes(out) == [("Base", SMALL), ("Upscaled", LARGE)] * 4


@pytest.mark.server
def test_nodes_that_bring_different_numbers_end_the_run_with_a_sentence(
    comfyui: EmbeddedServer, tmp_path: Path, hasty: None
) -> None:
    nodes = two_sizes()
    nodes["5"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 3}}
    ended = run(colours(tmp_path, [comfyui.url], 4, nodes, save=BOTH), Scenes())
    assert ended.exit_code == 1
    assert "1 of node 9, 3 of node 10. All must return the same number" in str(ended.stopped)


def test_the_advice_about_two_nodes_works_when_it_is_followed(tmp_path: Path) -> None:
    message = refusal(tmp_path)
    advised = [yaml.safe_load(text) for text in re.findall(r"save: (?:'@\d+'|\[.*?\])", message)]
    assert advised == [{"save": "@9"}, {"save": ["@9", "@10"]}]
    for number, advice in enumerate(advised):
        planned = prepare(
            colours(tmp_path / str(number), ["http://127.0.0.1:9"], nodes=two_sizes(), **advice),
            None,
        )
        assert planned.bound.batch_size == number + 1
    one_text = refusal(tmp_path, save="@9, @10")
    assert "Write several nodes as a list: save: ['@9', '@10']" in one_text


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"save": ["Base", "@9"]}, "'save' names node 9 .* twice, as 'Base' and as '@9'"),
        ({"save": ["Base", "Upscale"]}, "no node 'Upscale'. Did you mean 'Upscaled'"),
        ({"save": ["Base", "EmptyImage"]}, "saves no images. Nodes that do: @9 is .*@10"),
        ({"save": BOTH, "count": 5}, "'images_per_class' is 5, but 'save' names 2 .*Write 4 or 6"),
        ({"save": BOTH, "count": 1}, "'images_per_class' is 1, .*Write 2."),
        ({"save": BOTH, "images_per_job": 3}, "'images_per_job' is 3, .*Write 2 or 4"),
        ({"save": []}, "the list is empty"),
        (
            {"save": BOTH, "servers": ["webui+http://127.0.0.1:9"]},
            "a WebUI returns images of only one",
        ),
    ],
)
def test_lists_that_cannot_be_are_refused(
    tmp_path: Path, more: dict[str, Any], sentence: str
) -> None:
    servers = more.pop("servers", ["http://127.0.0.1:9"])
    with pytest.raises(InputError, match=sentence):
        prepare(colours(tmp_path, servers, nodes=two_sizes(), **more), None)


def test_a_list_of_one_is_that_node_and_several_join_the_ids(tmp_path: Path) -> None:
    def ids(save: Any) -> list[str]:
        recipe = colours(tmp_path, ["http://127.0.0.1:9"], 4, two_sizes(), save=save)
        return [job.id for job in prepare(recipe, None)]

    assert ids(["Base"]) == ids("Base") == ids("@9")
    assert ids(BOTH) == ids(["@9", "@10"])
    assert len({*ids("Base"), *ids("Upscaled"), *ids(BOTH), *ids(BOTH[::-1])}) == 4 + 4 + 2 + 2


def test_plan_counts_the_images_of_all_nodes(tmp_path: Path) -> None:
    recipe = colours(tmp_path, ["http://127.0.0.1:9"], 6, two_sizes(), save=BOTH)
    lines, _ = preview_lines(recipe, False, 0)
    assert lines[0].startswith("3 jobs: 1 class x 6 images, 2 images a job, of Base, Upscaled.")


def chained() -> Graph:
    nodes: Graph = json.loads(json.dumps(GRAPH))
    nodes["10"] = {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": ""}}
    return nodes


def test_a_node_behind_another_is_refused() -> None:
    with pytest.raises(InputError, match=r"node 10 .* gets its images through node 9"):
        delivering_nodes(chained(), None, ["@9", "@10"])


def test_two_nodes_of_ours_store_by_one_name() -> None:
    nodes: dict[str, Any] = {
        key: {"class_type": "ManyshotSaveLabelled", "inputs": {"images": ["1", 0], "folder": "x"}}
        for key in ("9", "10")
    } | {"1": GRAPH["1"]}
    with pytest.raises(InputError, match="Write 'transport: websocket'"):
        deliver(nodes, ["9", "10"], "view")
    assert len(deliver(nodes, ["9", "10"], "websocket").graph) == 3


def sent(node: str, number: int, kind: str = "image") -> Event:
    return Event("image", "p", node, {"manyshot": {"kind": kind}}, bytes([number]))


def masks(node: str, count: int) -> Event:
    return Event("output", "p", node, {"manyshot": [{"masks": count}]})


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ([sent("9", 1), sent("9", 2), sent("10", 3), sent("10", 4)], b"\1\3\2\4"),
        ([sent("10", 3), sent("10", 4), sent("9", 1), sent("9", 2)], b"\1\3\2\4"),
        ([sent("9", 1), sent("9", 2)], "without an image from node 10"),
        ([sent("9", 1), sent("9", 2), sent("10", 3)], "Node 10: 1 image received, 2 expected"),
        ([sent(n, 1) for n in ("9", "10") for _ in range(3)], "write 'images_per_job: 6'"),
        ([sent("9", 1), sent("9", 2), sent("10", 3), sent("10", 4),
          sent("9", 5, "mask"), sent("9", 6, "mask"), masks("9", 2)], "others return none"),
    ],
)  # fmt: skip
def test_images_of_two_nodes(events: list[Event], end: bytes | str) -> None:
    watch = Watch(("9", "10"), 4, True)
    for event in events:
        watch = apply_event(watch, event)
    over = complete(watch)
    if isinstance(end, bytes):
        assert isinstance(over, Finished)
        assert b"".join(over.images) == end
    else:
        assert isinstance(over, Failure)
        assert end in over.reason


def test_files_of_two_nodes_take_turns() -> None:
    watch = Watch(("9", "10"), 4, False)
    for node in ("10", "9"):
        files = [{"filename": f"{node}_{n}", "type": "output"} for n in range(2)]
        watch = apply_event(watch, Event("output", "p", node, {"images": files}))
    over = complete(watch)
    assert isinstance(over, Finished)
    names = [file.filename for file in over.image_files if isinstance(file, FileRef)]
    assert names == ["9_0", "10_0", "9_1", "10_1"]


def test_a_folder_of_one_node_has_no_field_more(tmp_path: Path) -> None:
    recipe = colours(tmp_path, ["http://127.0.0.1:9"], 2, GRAPH)
    assert all('"nodes"' not in job.to_json() for job in prepare(recipe, None))


def test_a_ledger_reads_every_field_of_a_job() -> None:
    assert {"id", "class_name", *ledger_file._JOB, *ledger_file._JOB_MORE} == {*Job._fields}
