"""The nodes inside of a real ComfyUI, without a model: flat images and masks, both deliveries."""

import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from ..support.patience import PATIENCE
from ..support.server_client import Client, graph

pytestmark = pytest.mark.server


@pytest.fixture
def client(comfyui: Any) -> Iterator[Client]:
    made = Client(comfyui.url)
    yield made
    made.socket.close()


@pytest.fixture
def folder() -> str:
    return f"manyshot/test-{uuid.uuid4().hex}"


def single(folder: str, **save: Any) -> dict[str, Any]:
    """One red image of class cat, nothing from Class Prompts."""
    nodes = graph(folder, class_name="cat", **save)
    nodes["images"]["inputs"]["color"] = 0xFF0000
    del nodes["prompts"]
    for name in ("prompt", "negative", "seed"):
        nodes["save"]["inputs"].pop(name) if isinstance(
            nodes["save"]["inputs"][name], list
        ) else None
    return nodes


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def colour(seed: int) -> tuple[int, int, int]:
    return (seed >> 16) & 255, (seed >> 8) & 255, seed & 255


def test_lists_become_a_labelled_folder(client: Client, folder: str) -> None:
    run = client.run(graph(folder))
    records = client.records(folder)
    assert [(r["class_name"], r["label"]) for r in records] == [
        *[("zebra", 0)] * 2,
        *[("cat", 1)] * 2,
        *[("mule", 2)] * 2,
    ]
    assert records[2]["prompt"] == "a tabby cat"
    assert records[2]["negative"] == "blurry tabby cat"
    assert len({r["file_name"] for r in records}) == 6
    shown = [f"{i['subfolder']}/{i['filename']}" for i in run.outputs["save"]["images"]]
    assert shown == [f"{folder}/{r['file_name']}" for r in records]
    masks = [f"{i['subfolder']}/{i['filename']}" for i in run.outputs["save"]["masks"]]
    assert masks == [f"{folder}/{r['mask_file_name']}" for r in records]


def test_files_hold_the_pixels_and_the_workflow(client: Client, folder: str) -> None:
    run = client.run(graph(folder))
    record = client.records(folder)[3]
    image = opened(client.view(**run.outputs["save"]["images"][3]))
    assert (image.mode, image.size) == ("RGB", (32, 24))
    assert image.getcolors() == [(32 * 24, colour(record["seed"]))]
    assert json.loads(image.info["prompt"])["save"]["class_type"] == "ManyshotSaveLabelled"
    mask = opened(client.view(**run.outputs["save"]["masks"][3]))
    assert (mask.mode, mask.getcolors()) == ("L", [(32 * 24, 200)])


def test_the_same_prompt_again_changes_nothing(client: Client, folder: str) -> None:
    first = client.run(graph(folder))
    before = client.records(folder)
    again = client.run(graph(folder))
    assert "save" in again.cached
    assert again.outputs == first.outputs
    assert client.records(folder) == before


def test_a_name_counts_on_and_replaces_nothing(client: Client, folder: str) -> None:
    """A list of images and a batch of them, each in two prompts: every image is a file."""
    nodes = graph(folder, name="job", class_name="cat")
    client.run(nodes)  # 6 images, one by one
    nodes["images"]["inputs"] |= {"color": 0xFF0000, "batch_size": 3}
    nodes["save"]["inputs"] |= {"seed": 1, "prompt": "p", "negative": "n"}
    client.run(nodes)  # a batch
    nodes["images"]["inputs"]["color"] = 0x00FF00
    run = client.run(nodes)
    client.run(single(folder, name="other", seed=3))
    records = client.records(folder)
    names = [f"images/cat/job_{number}.png" for number in range(12)]
    assert [r["file_name"] for r in records] == [*names, "images/cat/other_0.png"]
    assert [r["mask_file_name"] for r in records[:12]] == [
        name.replace("images/", "masks/") for name in names
    ]
    shown = [i["filename"] for i in run.outputs["save"]["images"]]
    assert shown == ["job_9.png", "job_10.png", "job_11.png"]
    red, green = (
        opened(client.view(f"job_{n}.png", f"{folder}/images/cat")).getpixel((0, 0)) for n in (8, 9)
    )
    assert (red, green) == ((255, 0, 0), (0, 255, 0))


def test_more_images_of_each_class_keep_the_first_ones(client: Client, folder: str) -> None:
    client.run(graph(folder))
    first = client.records(folder)
    nodes = graph(folder)
    nodes["prompts"]["inputs"] |= {"images_per_class": 3, "classes": "mule\ncat: tabby cat\nzebra"}
    client.run(nodes)
    assert client.records(folder)[:6] == first
    assert len(client.records(folder)) == 9


def test_labels_stay_when_classes_are_added_later(client: Client, folder: str) -> None:
    client.run(graph(folder))
    client.run(single(folder, name="more"))
    nodes = single(folder, name="new")
    nodes["save"]["inputs"]["class_name"] = "ant"
    client.run(nodes)
    labels = [(r["class_name"], r["label"]) for r in client.records(folder)[6:]]
    assert labels == [("cat", 1), ("ant", 3)]


def test_websocket_sends_every_image_and_writes_nothing(client: Client, folder: str) -> None:
    nodes = single(folder, delivery="websocket")
    nodes["images"]["inputs"]["batch_size"] = 2
    for _ in range(2):  # the second time nothing but this node is new
        run = client.run(nodes)
        assert "save" not in run.cached
        assert run.outputs["save"] == {"manyshot": [{"images": 2, "masks": 2}]}
        assert [facts["manyshot"] for facts, _ in run.sent] == [
            {"kind": kind, "index": index, "count": 2}
            for kind in ("image", "mask")
            for index in (0, 1)
        ]
        assert {(f["prompt_id"], f["node_id"], f["display_node_id"]) for f, _ in run.sent} == {
            (run.prompt_id, "save", "save")
        }
        assert opened(run.sent[1][1]).getcolors() == [(32 * 24, (255, 0, 0))]
        assert opened(run.sent[3][1]).getcolors() == [(32 * 24, 200)]
    with pytest.raises(requests.HTTPError):
        client.records(folder)


def test_websocket_images_go_to_nobody_else(client: Client, comfyui: Any, folder: str) -> None:
    other = Client(comfyui.url)
    client.run(single(folder, delivery="websocket"))
    run = other.run(single(folder, name="end"))
    other.socket.close()
    assert not run.sent


def test_websocket_without_a_client_is_an_error(client: Client, folder: str) -> None:
    reply = client.post(single(folder, delivery="websocket"), client_id=None)
    prompt_id = reply.json()["prompt_id"]
    client.run(single(folder, name="end"))  # prompts run in turn: the first one is over now
    history = requests.get(f"{client.url}/history/{prompt_id}", timeout=PATIENCE).json()[prompt_id]
    errors = [data for event, data in history["status"]["messages"] if event == "execution_error"]
    assert "queue the prompt with the client_id" in errors[0]["exception_message"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"class_name": "../x"}, "The class name '../x' cannot be used as a file name"),
        ({"class_name": ""}, "The class name '' cannot be used as a file name"),
        ({"folder": "/etc"}, "The folder '' cannot be used as a file name"),
        ({"folder": "a/../../b"}, "The folder '..' cannot be used as a file name"),
        ({"name": "a/b"}, "The name 'a/b' cannot be used as a file name"),
        ({"class_name": "x" * 300}, "The class name 'xxx"),
    ],
)
def test_unsafe_names_are_refused_before_the_run(
    client: Client, folder: str, wrong: dict[str, str], sentence: str
) -> None:
    nodes = single(folder)
    nodes["save"]["inputs"] |= wrong
    reply = client.post(nodes)
    assert reply.status_code == 400
    assert sentence in reply.json()["node_errors"]["save"]["errors"][0]["details"]


def test_an_unsafe_class_from_another_node_is_refused_in_the_run(
    client: Client, folder: str
) -> None:
    nodes = single(folder)
    nodes["words"] = {"class_type": "PrimitiveString", "inputs": {"value": "../../x"}}
    nodes["save"]["inputs"]["class_name"] = ["words", 0]
    run = client.run(nodes)
    assert run.error is not None
    assert run.error.startswith("The class name '../../x' cannot be used as a file name")


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("templates", "a {class_name", "Template 1, character 3: this { is never closed"),
        ("templates", "__colour__ {class_name}", "there is no list named 'colour'"),
        ("classes", "# nothing", "No class is given."),
        ("classes", "cat\nCat", "The classes 'cat' and 'Cat' differ only in case"),
        ("classes", "a/b", "The class name 'a/b' cannot be used as a file name"),
    ],
)
def test_wrong_prompt_text_is_refused_before_the_run(
    client: Client, folder: str, field: str, text: str, sentence: str
) -> None:
    nodes = graph(folder)
    nodes["prompts"]["inputs"][field] = text
    reply = client.post(nodes)
    assert reply.status_code == 400
    assert sentence in reply.json()["node_errors"]["prompts"]["errors"][0]["details"]


def test_a_mask_of_another_size_is_refused(client: Client, folder: str) -> None:
    nodes = single(folder)
    nodes["mask"]["inputs"]["width"] = 16
    run = client.run(nodes)
    assert run.error is not None
    assert run.error.startswith("The mask is 16x24 pixels and the image 32x24.")


def test_help_pages_are_served_for_every_node(client: Client) -> None:
    known = requests.get(f"{client.url}/object_info", timeout=PATIENCE).json()
    ours = [name for name, node in known.items() if node["category"].startswith("manyshot")]
    assert len(ours) >= 2
    for name in ours:
        page = requests.get(f"{client.url}/extensions/manyshot/docs/{name}.md", timeout=PATIENCE)
        assert page.status_code == 200
        assert all(f"`{entry}`" in page.text for entry in known[name]["input_order"]["required"])
