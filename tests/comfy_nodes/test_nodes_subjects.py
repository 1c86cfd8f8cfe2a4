"""The nodes of subjects inside of a real ComfyUI: what they load is what stock nodes load."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from manyshot.core.subject_file import MODEL_FOLDERS, Method, read_subject_file
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.driver.embedded import EmbeddedServer
from manyshot.driver.embedded.cache_folders import models_folder
from safetensors.numpy import save_file

from ..support.patience import PATIENCE
from ..support.server_client import Client, Run, graph
from ..support.subject_files import subject, write_subjects
from ..support.tiny_graphs import drawn, stock_graph
from ..support.train_graphs import TOKEN, node, train_graph
from ..support.trained_subjects import NAMES

pytestmark = pytest.mark.server
METHODS: list[Method] = ["lora", "textual_inversion", "dreambooth"]


@pytest.fixture
def client(comfyui: EmbeddedServer) -> Iterator[Client]:
    made = Client(comfyui.url)
    made.socket.settimeout(PATIENCE)  # the first training imports its libraries, without a message
    yield made
    made.socket.close()


@pytest.fixture
def loras(comfyui: EmbeddedServer) -> Iterator[Path]:
    """The server's folder of LoRAs, left as it was."""
    folder = comfyui.folder / "models" / "loras"
    before = set(folder.iterdir())
    yield folder
    for path in set(folder.iterdir()) - before:
        path.unlink()


def with_subject(name: str, **changes: Any) -> dict[str, Any]:
    """The stock graph with Subject behind the checkpoint, and its words in the prompt."""
    nodes = stock_graph(steps=2)
    models = {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2]}
    given = {"subject": name, "token": "", "strength": 1.0, **models, **changes}
    nodes["11"] = node("ManyshotSubject", **{k: v for k, v in given.items() if v is not None})
    nodes["12"] = node("StringConcatenate", string_a="a", string_b=["11", 3], delimiter=" ")
    nodes["2"]["inputs"] = {"clip": ["11", 1], "text": ["12", 0]}
    nodes["3"]["inputs"]["clip"] = ["11", 1]
    nodes["5"]["inputs"]["model"] = ["11", 0]
    nodes["6"]["inputs"]["vae"] = ["11", 2]
    return nodes


def with_stock_nodes(method: Method, path: Path) -> dict[str, Any]:
    nodes = stock_graph(steps=2)
    nodes["2"]["inputs"]["text"] = f"a {read_subject_file(path).subjects[0].word}"
    if method == "dreambooth":
        nodes["1"]["inputs"]["ckpt_name"] = path.name
    if method == "lora":
        strengths = {"strength_model": 0.7, "strength_clip": 0.7}
        nodes["11"] = node(
            "LoraLoader", model=["1", 0], clip=["1", 1], lora_name=path.name, **strengths
        )
        nodes["5"]["inputs"]["model"] = ["11", 0]
        nodes["2"]["inputs"]["clip"] = nodes["3"]["inputs"]["clip"] = ["11", 1]
    return nodes


@pytest.mark.parametrize("method", METHODS)
def test_subject_draws_what_stock_nodes_draw(
    comfyui: EmbeddedServer, trained_subjects: dict[Method, Path], method: Method
) -> None:
    path = trained_subjects[method]
    # DreamBooth's own models are used whatever is connected, or nothing is.
    models = dict.fromkeys(("model", "clip", "vae")) if method == "dreambooth" else {}
    found = drawn(comfyui.url, with_subject(path.name, strength=0.7, **models))
    stock = drawn(comfyui.url, with_stock_nodes(method, path))
    assert np.array_equal(found, stock)
    plain = stock_graph(steps=2)
    plain["2"]["inputs"]["text"] = "a dog"
    assert np.abs(np.subtract(drawn(comfyui.url, plain), found, dtype=float)).mean() > 2


def test_the_list_has_trained_files_and_no_others(
    client: Client, trained_subjects: dict[Method, Path], loras: Path
) -> None:
    names = {f"{name}.safetensors" for name in NAMES.values()}
    assert names <= offered(client)
    assert TINY_MODEL.name not in offered(client)
    same = loras / f"{NAMES['dreambooth']}.safetensors"
    write_subjects(same, subject("Spot"))
    both = {f"{folder}/{same.name}" for folder in ("loras", "checkpoints")}
    assert both <= offered(client)
    assert same.name not in offered(client)
    same.unlink()
    assert names <= offered(client)


def offered(client: Client) -> set[str]:
    info = requests.get(f"{client.url}/object_info/ManyshotSubject", timeout=30).json()
    return set(info["ManyshotSubject"]["input"]["required"]["subject"][1]["options"])


def test_prompts_of_a_subject_are_those_of_its_class(
    client: Client, trained_subjects: dict[Method, Path]
) -> None:
    """The same images, class and seeds as Class Prompts gives for the same words."""
    folders = [f"manyshot/test-subject-{kind}" for kind in "ab"]
    boxes = {"contexts": "on grass\nindoors", "lists": "", "negative": "blurry"}
    boxes |= {"images_per_class": 4, "seed": 5}
    plain, ours = (graph(folder) for folder in folders)
    words = f"Spot: embedding:{NAMES['textual_inversion']}"
    texts = "a {class_name}\n{red|blue} {class_name} {context}"
    plain["prompts"]["inputs"] = {"classes": words, "templates": texts, **boxes}
    name = trained_subjects["textual_inversion"].name
    ours["clip"] = node("CheckpointLoaderSimple", ckpt_name=TINY_MODEL.name)
    ours["subject"] = node(
        "ManyshotSubject", subject=name, token="", strength=1.0, clip=["clip", 1]
    )
    ours["prompts"] = node(
        "ManyshotSubjectPrompts",
        words=["subject", 3],
        class_name=["subject", 4],
        templates=texts.replace("class_name", "subject"),
        **boxes,
    )
    for nodes in (plain, ours):
        assert client.run(nodes).error is None
    one, other = map(client.records, folders)
    assert len(one) == 4
    assert [(r["prompt"], r["negative"], r["class_name"], r["seed"]) for r in one] == [
        (r["prompt"], r["negative"], r["class_name"], r["seed"]) for r in other
    ]
    assert one[0]["prompt"] == f"a embedding:{NAMES['textual_inversion']}"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"subject": "spot-m4.safetensors"}, "no file 'spot-m4.safetensors' of a trained subject"),
        ({"subject": "spot-m4.safetensors"}, "Did you mean 'spot-m"),
        ({"subject": TINY_MODEL.name}, "of a trained subject"),
        ({"subject": "../../spot-m1.safetensors"}, "of a trained subject"),
        ({"token": "spot-m"}, "has no subject with the token 'spot-m'. Did you mean 'spot-m1'?"),
    ],
)
@pytest.mark.usefixtures("trained_subjects")
def test_wrong_choices_are_refused_before_the_run(
    client: Client, wrong: dict[str, str], sentence: str
) -> None:
    reply = client.post(with_subject(f"{NAMES['lora']}.safetensors", **wrong))
    assert reply.status_code == 400
    assert sentence in reply.json()["node_errors"]["11"]["errors"][0]["details"]


def test_the_token_chooses_among_a_files_subjects(client: Client, loras: Path) -> None:
    write_subjects(loras / "two.safetensors", subject("cat"), subject("cow"))
    nodes = with_subject("two.safetensors", token="cow-m1", strength=0.0)
    nodes["7"] = node("PreviewAny", source=["11", 3])
    assert client.run(nodes).outputs["7"] == {"text": ["cow-m1 dog"]}


@pytest.mark.parametrize("method", ["lora", "textual_inversion"])
def test_a_subject_of_another_base_is_refused(
    client: Client, comfyui: EmbeddedServer, method: Method
) -> None:
    """ComfyUI's own nodes would log it and draw without it."""
    keys = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
    tensors = {
        "lora": {
            f"{keys}.lora_up.weight": np.zeros((256, 2), np.float16),
            f"{keys}.lora_down.weight": np.zeros((2, 768), np.float16),
        },
        "textual_inversion": {"emb_params": np.zeros((2, 768), np.float32)},
    }[method]
    path = comfyui.folder / "models" / MODEL_FOLDERS[method] / "other-base.safetensors"
    facts = write_subjects(path, subject("cat"), method=method)
    save_file(tensors, path, facts.metadata())
    try:
        error = client.run(with_subject(path.name)).error
    finally:
        path.unlink()
    assert error is not None
    assert error.startswith("other-base.safetensors was trained on tiny, but the connected model")


def test_what_is_not_connected_is_told(
    client: Client, trained_subjects: dict[Method, Path]
) -> None:
    run = client.run(with_subject(trained_subjects["lora"].name, clip=None))
    assert run.error is not None
    assert "connect 'model' and 'clip' of manyshot-tiny" in run.error
    run = client.run(with_subject(trained_subjects["lora"].name, vae=None))
    assert run.error is not None
    assert "Load Trained Subject's input 'vae' is not connected." in run.error


def run_and_interrupt(client: Client, nodes: dict[str, Any]) -> Run:
    """Interrupt at the first step."""
    run = Run(client.post(nodes).json()["prompt_id"])
    while run.hear(message := client.socket.recv()):
        if isinstance(message, str) and '"progress"' in message:
            requests.post(f"{client.url}/interrupt", timeout=30)
    return run


@pytest.fixture
def trained_file() -> Iterator[Path]:
    path = models_folder() / "loras" / f"{TOKEN}.safetensors"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


def test_training_is_interrupted_goes_on_and_can_be_drawn_with(
    client: Client, comfyui: EmbeddedServer, trained_file: Path
) -> None:
    pytest.importorskip("peft")
    pytest.importorskip("diffusers")
    work = comfyui.folder / "output" / "manyshot" / "subjects"
    run_and_interrupt(client, train_graph())
    assert len(list(work.glob(f"{TOKEN}-*/*.training"))) == 1
    assert not trained_file.exists()
    nodes = with_subject("", subject=["train", 0]) | train_graph()
    run = client.run(nodes)
    assert run.error is None
    assert not list(work.glob("*/*.training"))
    facts = read_subject_file(trained_file)
    assert (facts.subjects[0].class_name, facts.steps) == ("Spot", 3)
    assert len(facts.subjects[0].photos) == 3
    shown = run.outputs["train"]["images"][0]
    assert client.view(**shown).startswith(b"\x89PNG")
    assert "000003" in shown["filename"]
    assert run.outputs["7"]["images"]
    before = trained_file.stat().st_mtime_ns
    assert client.run(train_graph()).error is None
    error = client.run(train_graph(steps=4)).error
    assert error is not None
    assert "was trained with a different base, photos, captions, masks, words or settings" in error
    assert trained_file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"photos": (1,)}, "A subject needs at least 2 photos, but there is 1"),
        ({"photos": (1, 1, 2)}, "Two of the photos are identical."),
        ({"token": "dog"}, "The token 'dog' is a word that the model already knows"),
        ({"base": "tiny.safetensors"}, "no checkpoint 'tiny.safetensors' to train on. Did you"),
        ({"rank": 200}, "Rank 200 exceeds the width of the model's narrowest layer (128)"),
    ],
)
def test_what_cannot_be_trained_is_told(
    client: Client, wrong: dict[str, Any], sentence: str
) -> None:
    pytest.importorskip("peft")
    pytest.importorskip("diffusers")
    error = client.run(train_graph(**wrong)).error
    assert error is not None
    assert sentence in error


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"token": "../x"}, "The token '../x' cannot be used as a file name"),
        ({"noun": " "}, "The noun is empty."),
        ({"class_name": "a/b"}, "The class name 'a/b' cannot be used as a file name"),
    ],
)
def test_wrong_words_are_refused_before_the_run(
    client: Client, wrong: dict[str, str], sentence: str
) -> None:
    reply = client.post(train_graph(**wrong))
    assert reply.status_code == 400
    assert sentence in reply.json()["node_errors"]["train"]["errors"][0]["details"]
