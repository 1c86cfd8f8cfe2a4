"""The doors through which bytes of strangers come in: each takes any bytes and returns, or raises
ManyshotError. Anything else is a crash.

`SEEDS` gives each door files that are well formed, from which fuzzing starts.
"""

import json
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from manyshot.core import lines
from manyshot.core.classes import check_class_names
from manyshot.core.errors import ManyshotError
from manyshot.core.images import image_size, open_rgb
from manyshot.core.json_text import parse_json
from manyshot.core.masks.coco import read_coco
from manyshot.core.masks.label_mask import LabelMask
from manyshot.core.masks.labelled_png import decode_png, encode_png, read_class_names, read_labelled
from manyshot.core.metadata_lines import read_lines, read_remarks
from manyshot.core.model_family import file_facts
from manyshot.core.pets import parse_list
from manyshot.core.recipe_file import read_recipe_file
from manyshot.core.record_file import add_records
from manyshot.core.records import read_foreign_models, read_records, read_training_photos
from manyshot.core.subject_file import KEY, read_subject_file
from manyshot.core.webui_prompt.from_comfy import comfy_text, from_comfy
from manyshot.core.webui_prompt.matrix import matrix
from manyshot.core.webui_prompt.networks import loras, take_networks
from manyshot.core.webui_prompt.read import parse as parse_prompt
from manyshot.core.webui_prompt.write import plain_text, write
from manyshot.core.wildcards import parse as parse_wildcards
from manyshot.driver import upkeep
from manyshot.driver.dataset import merge_servers
from manyshot.driver.delivered_images import add_labels, check_delivery
from manyshot.driver.embedded.ready import read_facts
from manyshot.driver.folder import rows
from manyshot.driver.job import Job
from manyshot.driver.ledger import FILE_NAME, Done, Ledger
from manyshot.driver.preview import preview_lines, read_state
from manyshot.driver.recipe import Recipe
from manyshot.driver.targets.comfyui.check_families import server_families
from manyshot.driver.targets.comfyui.comfy_client import Comfy, refusal
from manyshot.driver.targets.comfyui.completion import (
    Found,
    Watch,
    apply_answer,
    apply_event,
    parse_failure,
)
from manyshot.driver.targets.comfyui.events import parse as parse_event
from manyshot.driver.targets.webui.dialect import read_dialect
from manyshot.driver.targets.webui.payload import Request
from manyshot.driver.targets.webui.verify_reply import verify_reply
from manyshot.driver.targets.webui.webui_client import WebUI
from manyshot.driver.workflow.catalogue import Catalogue
from manyshot.driver.workflow.node_addresses import resolve
from manyshot.driver.workflow.own_nodes import fold
from manyshot.driver.workflow.preflight import check
from manyshot.driver.workflow.read_workflow import read_workflow
from manyshot.driver.workflow.save_nodes import deliver, delivering_node
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.measure.measure_results import read_results_file
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from manyshot.webui.script_settings import INFOTEXT, from_infotext
from PIL import Image

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
ID = "0123456789abcdef" * 2
FEW_PIXELS = 2**20
FEW_JOBS = 100
COLUMNS = ("id", "seq", "plan", "grp", "class_name", "state", "images", "masks", "kind", "reason",
           "server", "seconds", "job", "objects", "files")  # fmt: skip
Target = Callable[[bytes], object]


@contextmanager
def folder_of(**files: bytes) -> Iterator[Path]:
    """A folder that holds these files; `__` in a name stands for a dot."""
    folder = Path(tempfile.mkdtemp())
    try:
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_bytes(content)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def each(*readers: Callable[[], object]) -> None:
    """Every reader in turn, whether or not those before it refused."""
    for read in readers:
        with suppress(ManyshotError):
            read()


def json_of(data: bytes) -> Any:
    """As core/http.py has it by then; what is no JSON is refused before a door."""
    with suppress(ValueError):
        return parse_json(data)
    return None


class Answers:
    """An http.Http that gives the same answer to everything."""

    def __init__(self, value: Any) -> None:
        from manyshot.driver.address import ServerAddress

        self.value, self.address = value, ServerAddress(url="http://localhost:1")

    def get_json(self, *_: Any) -> Any:
        return self.value

    post_json = post_file = get_json


def events(data: bytes) -> None:
    message = data.decode("utf-8", "replace") if data[:1] in b"{[" else data
    event = parse_event(message)
    if event:
        for over_socket in (True, False):
            apply_event(Watch("9", 1, over_socket), event)


def comfyui_replies(data: bytes) -> None:
    value = json_of(data)
    comfy = Comfy(cast("Any", Answers(value)))
    each(
        lambda: apply_answer(Watch("9", 1, False), Found("history", value)),
        lambda: apply_answer(Watch("9", 1, True), Found("history", value)),
        lambda: refusal(value),
        lambda: parse_failure(value if isinstance(value, dict) else {}),
        lambda: Catalogue.from_json(value),
        comfy.catalogue,
        comfy.stats,
        lambda: comfy.model_metadata("a.safetensors"),
        lambda: comfy.submit({}, "1", "2"),
        lambda: comfy.find("1"),
        lambda: comfy.upload("a.png", b"", ""),
        lambda: server_families(comfy),
        lambda: read_facts(value) if isinstance(value, dict) and _is_stats(value) else None,
    )


def _is_stats(value: dict[str, Any]) -> bool:
    return isinstance(value.get("system"), dict)


def webui_replies(data: bytes) -> None:
    value = json_of(data)
    client = WebUI(cast("Any", Answers(value)))
    sent = {"sampler_name": "a", "scheduler": "Automatic", "override_settings": {}}
    request = Request("txt2img", sent, "a cat", 1, 1, (8, 8), "a", "Automatic")
    steered = Request("img2img", sent, "a cat", 1, 1, (8, 8), "a", "c", ("l",), ("e",), (None,))
    each(
        client.progress,
        client.options,
        client.embeddings,
        client.schemas,
        lambda: client.list_items("sd-models"),
        client.scripts,
        client.control_lists,
        lambda: read_dialect(client).adapt(request),
        lambda: read_dialect(client).adapt(steered),
        lambda: verify_reply(request, value),
        lambda: verify_reply(steered, value),
    )


def images(data: bytes) -> None:
    with folder_of(a__png=data) as folder:
        each(
            lambda: open_rgb(data),
            lambda: image_size(folder / "a.png"),
            lambda: _delivered(data),
        )


def _delivered(data: bytes) -> None:
    delivery = check_delivery((data,), (data,))
    if not hasattr(delivery, "kind"):
        add_labels(cast("Any", delivery), None)


def masks(data: bytes) -> None:
    """A whole file, or the text that names the classes in one of ours."""
    data = data if data.startswith(b"\x89PNG") else with_classes(data)
    with folder_of(a__png=data) as folder:
        path = folder / "a.png"
        each(
            lambda: decode_png(data),
            lambda: read_class_names(path),
            lambda: read_labelled(path),
        )


def with_classes(text: bytes) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info, image, file = PngInfo(), Image.new("P", (4, 4)), BytesIO()
    info.add_itxt("manyshot_classes", text.decode("utf-8", "replace"))
    image.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def coco(data: bytes) -> None:
    with folder_of(a__json=data) as folder:
        classes, pictures = read_coco(folder / "a.json")
    for picture in pictures:
        if picture.height * picture.width <= FEW_PIXELS:
            with suppress(ManyshotError):
                picture.label_mask(classes)


def safetensors(data: bytes) -> None:
    """A whole file; or its header; or, in brackets, what a header says of subjects."""
    if data.startswith(b"["):
        text = data.strip(b"[]\n").decode("utf-8", "replace")
        data = json.dumps({"__metadata__": {KEY: text}}).encode()
    if data.startswith(b"{"):
        data += b" " * (-len(data) % 8)
        data = struct.pack("<Q", len(data)) + data + bytes(64)
    with folder_of(a__safetensors=data) as folder:
        path = folder / "a.safetensors"
        each(lambda: read_subject_file(path), lambda: file_facts(path))


def ledger(data: bytes) -> None:
    """A whole file; or, as JSON, the columns of the one job of a good one."""
    content = with_columns(json_of(data)) if data.startswith(b"{") else data
    with folder_of() as folder:
        (folder / FILE_NAME).write_bytes(content)
        each(
            lambda: read_state(folder),
            lambda: read_ledger(folder, read_only=True),
            lambda: upkeep.verify(folder, read_data=True),
            lambda: read_ledger(folder, read_only=False),
            lambda: upkeep.repair(folder),
        )


def read_ledger(folder: Path, read_only: bool) -> None:
    book = Ledger(folder, read_only=read_only)
    try:
        list(book.read_done_jobs())
        list(book.read_done_files())
        for group, _ in book.groups():
            book.open_jobs(group, -1, FEW_JOBS)
        list(rows(book, (), "w", lambda _: []))
        book.images()
        book.rejections()
        book.servers()
    finally:
        book.close()


@cache
def good_ledger() -> bytes:
    with folder_of() as folder:
        book = Ledger(folder)
        list(book.read_plan([Job(ID, "cat", 0, 0, "a", "", 1)]))
        book.take_plan("f")
        book.mark_done([Done(ID, 1, 0, "http://localhost:1", 0.1)])
        book.close()
        return (folder / FILE_NAME).read_bytes()


def with_columns(values: Any) -> bytes:
    with folder_of(book=good_ledger()) as folder:
        db = sqlite3.connect(folder / "book")
        for name, value in (values if isinstance(values, dict) else {}).items():
            if name in COLUMNS:
                plain = json.dumps(value) if isinstance(value, dict | list) else value
                with suppress(sqlite3.Error, OverflowError, UnicodeEncodeError):
                    db.execute(f"UPDATE jobs SET {name} = ?", (plain,))
        db.commit()
        db.close()
        return (folder / "book").read_bytes()


def metadata(data: bytes) -> None:
    with folder_of(metadata__jsonl=data) as folder:
        image = folder / "images" / "cat" / f"{ID}_0.png"
        image.parent.mkdir(parents=True)
        image.write_bytes(with_classes(b"[]"))
        each(
            lambda: read_records(folder),
            lambda: list(read_lines(folder)),
            lambda: read_remarks(folder, ["seed"]),
            lambda: upkeep.verify(folder, read_data=True),
            lambda: add_records(folder, [{"file_name": "images/cat/1_0.png", "class_name": "cat"}]),
            lambda: upkeep.repair(folder),
        )


def manifest(data: bytes) -> None:
    with folder_of(manyshot__json=data) as folder:
        each(
            lambda: read_training_photos(folder),
            lambda: read_foreign_models(folder),
            lambda: merge_servers(folder, []),
        )


def results(data: bytes) -> None:
    with folder_of(results__json=data) as folder:
        read_results_file(folder / "results.json")


def recipes(data: bytes) -> None:
    with folder_of(r__yaml=data) as folder:
        path = folder / "r.yaml"
        each(
            lambda: read_recipe_file(MeasureRecipe, path),
            lambda: read_recipe_file(SubjectRecipe, path),
            lambda: _planned(read_recipe_file(Recipe, path)),
        )


def _planned(recipe: Recipe) -> None:
    counts = recipe.images_per_class or 1
    most = max(counts.values(), default=0) if isinstance(counts, dict) else counts
    few = most <= FEW_JOBS and not recipe.sweep
    here = not recipe.workflow_name.startswith(("/", "."))
    if few and here and not recipe.pairs and not recipe.subjects:
        preview_lines(recipe, False, 2)


@cache
def catalogue() -> Catalogue:
    return Catalogue.from_json(json.loads((DATA / "object_info.json").read_text(encoding="utf-8")))


def workflows(data: bytes) -> None:
    with folder_of(w__json=data) as folder:
        each(lambda: read_workflow(folder / "w.json"))
        graph = read_workflow(folder / "w.json", catalogue())
    each(
        lambda: list(check(graph, catalogue(), "w.json", set())),
        lambda: fold(graph, "w.json", False, False),
        lambda: resolve(graph, "KSampler.seed", catalogue()),
        lambda: deliver(graph, delivering_node(graph, catalogue(), None), "view", catalogue()),
        lambda: deliver(graph, delivering_node(graph, None, None), "websocket"),
    )


def class_files(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    each(
        lambda: check_class_names(lines.read_classes(text)),
        lambda: lines.read_lists(text),
        lambda: lines.read_words(text),
        lambda: parse_list(text),
    )


def prompts(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    each(
        lambda: parse_wildcards(text, "prompt"),
        lambda: write(parse_prompt(text)),
        lambda: plain_text(parse_prompt(text), 20),
        lambda: matrix(text) if text.count("|") < 8 else (),
        lambda: loras(take_networks(text)[1]),
        lambda: from_comfy(text),
        lambda: comfy_text(()),
    )


def infotexts(data: bytes) -> None:
    from_infotext({INFOTEXT: data.decode("utf-8", "replace")})


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(events, comfyui_replies, webui_replies, images, masks, coco, safetensors, ledger),
        *(metadata, manifest, results, recipes, workflows, class_files, prompts, infotexts),
    )
}


def seeds(name: str) -> Iterator[bytes]:
    """Well formed inputs of a target."""
    match name:
        case "events":
            yield from map(_json, EVENTS)
            where = _json({"prompt_id": "1", "node_id": "9", "manyshot": {"kind": "mask"}})
            yield struct.pack(">II", 4, len(where)) + where + b"png"
        case "comfyui_replies":
            yield from map(_json, COMFYUI)
            nodes = json.loads((DATA / "object_info.json").read_text(encoding="utf-8"))
            yield _json({name: nodes[name] for name in ("KSampler", "SaveImage")})
        case "webui_replies":
            yield from map(_json, WEBUI)
        case "images":
            yield from _pictures()
        case "masks":
            yield encode_png(LabelMask(_labels(), ("background", "cat")))
            yield b'["background", "cat"]'
        case "coco":
            yield from map(_json, COCO)
        case "safetensors":
            yield _json({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}})
            yield b"[" + _json(SUBJECTS)
        case "ledger":
            yield good_ledger()
            facts = {"images": [["0" * 64, 1, 1]], "masks": []}
            job = json.loads(Job(ID, "cat", 0, 0, "a", "", 1, sweep={"a": 1}).to_json())
            row = {"images": 1, "masks": 1, "job": job, "files": facts, "objects": [[]]}
            yield _json({**row, "seconds": 1.5, "server": "a", "state": 1, "seq": 0, "grp": ""})
        case "metadata":
            yield b"".join(_json(line) + b"\n" for line in METADATA)
        case "manifest":
            yield _json({"recipe": {}, "servers": [{"name": "a"}], "subjects": {"a": {}}})
        case "results":
            yield b'{"runs": [], "arms": [], "version": 1}'
        case "recipes":
            yield from (path.read_bytes() for path in ROOT.glob("recipes/**/*.yaml"))
            yield _json(RECIPE)
        case "workflows":
            found = [*ROOT.glob("workflows/**/*.json"), *DATA.glob("workflows/*.json")]
            yield from (path.read_bytes() for path in found if path.stat().st_size < 60_000)
        case "class_files":
            yield b"cat\ndog: a hairy dog # it barks\n\nlist: one, two\n"
            yield b"Abyssinian_1 1 1 1\nbeagle_2 2 2 1\n"
        case "prompts":
            yield b"a {2$$red|blue} [cat:dog:0.5] (big:1.2) <lora:x:0.8> AND __list__ [a|b] BREAK"
        case "infotexts":
            yield b'{"classes": "cat\\ndog", "images_per_class": 8, "subject_weight": 0.5}'


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _labels() -> Any:
    import numpy as np

    return np.arange(16, dtype=np.uint8).reshape(4, 4) % 2


def _pictures() -> Iterator[bytes]:
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        file = BytesIO()
        Image.new("RGB", (8, 8), (1, 2, 3)).save(file, kind)
        yield file.getvalue()
    for mode in ("P", "L", "I;16", "RGBA", "1"):
        file = BytesIO()
        Image.new(mode, (8, 8)).save(file, "PNG")
        yield file.getvalue()


EVENTS = [
    {"type": kind, "data": {"prompt_id": "1", "node": "9", "output": {"images": []}}}
    for kind in ("executing", "executed", "execution_start", "execution_success")
] + [
    {"type": "execution_error",
     "data": {"prompt_id": "1", "node_id": "9", "node_type": "KSampler",
              "exception_type": "ValueError", "exception_message": "no"}},
    {"type": "executed",
     "data": {"prompt_id": "1", "node": "9",
              "output": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}],
                         "manyshot": [{"images": 1, "masks": 1}]}}},
]  # fmt: skip
COMFYUI = [
    {"1": {"status": {"status_str": "error", "messages": [["execution_error", {"node_id": "9"}]]},
           "outputs": {"9": {"images": []}}}},
    {"status": {"status_str": "success", "messages": []},
     "outputs": {"9": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}},
    {"queue_running": [[0, "1"]], "queue_pending": []},
    {"prompt_id": "1", "number": 1, "node_errors": {"3": {"class_type": "KSampler", "errors": [
        {"message": "Value not in list", "details": "ckpt_name"}]}}, "error": {"message": "no"}},
    {"system": {"comfyui_version": "0.3.75"}, "devices": [{"name": "cpu"}]},
    {"name": "a.png", "subfolder": "", "type": "input"},
    {"checkpoints": {"a": {"kind": "model", "family": "SDXL"}}},
]  # fmt: skip
WEBUI = [
    {"images": ["iVBORw0KGgo="], "parameters": {},
     "info": json.dumps({"all_seeds": [1], "index_of_first_image": 0, "infotexts": ["a, Steps: 1"],
                         "sd_model_name": "a", "all_prompts": ["a cat"], "width": 8})},
    {"state": {"job_count": 1, "job": "", "sampling_step": 2}, "progress": 0.5},
    {"loaded": {"a": {}}, "skipped": {}, "txt2img": ["a"], "model_list": ["a"],
     "module_list": ["b"]},
    [{"name": "a", "label": "Automatic", "title": "a", "model_name": "c", "filename": "a.pt"}],
    {"paths": {"/sdapi/v1/txt2img": {"post": {"requestBody": {"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/A"}}}}}}},
     "components": {"schemas": {"A": {"properties": {"prompt": {}}}}}},
]  # fmt: skip
_IMAGES = [{"id": 1, "file_name": "a.png", "height": 8, "width": 8}]
_CATEGORIES = [{"id": 1, "name": "cat"}]
COCO = [
    {"images": _IMAGES, "categories": _CATEGORIES,
     "annotations": [{"image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": outline}]}
    for outline in ([[1, 1, 6, 1, 6, 6]], {"counts": [10, 20, 34], "size": [8, 8]},
                    {"counts": "0X11", "size": [8, 8]})
]  # fmt: skip
SUBJECTS = {"method": "lora", "base": "b", "base_digest": "0", "step": 1, "steps": 2,
            "settings": "{}", "subjects": [{"token": "a", "noun": "cat", "word": "a cat",
                                            "class_name": "cat", "photos": ["0"]}]}  # fmt: skip
METADATA = [
    {"file_name": f"images/cat/{ID}_{n}.png", "class_name": "cat", "label": 0, "workflow": "w",
     "seed": n, "kept": True, "mask_file_name": f"masks/cat/{ID}_{n}.png", "sha256": "0" * 64,
     "objects": [{"class_name": "cat"}], "sweep": {"a": 1}, "scores": {"b": 0.5}}
    for n in range(2)
]  # fmt: skip
RECIPE = {"workflow": "graph.json", "output": "out", "classes": ["cat", "dog"], "seed": 1,
          "images_per_class": 2, "prompts": {"templates": ["a {class}"], "lists": {"a": ["b"]}},
          "servers": ["http://localhost:8188"], "bind": {"KSampler.seed": "$seed"},
          "timeouts": {"reply": 5}}  # fmt: skip
