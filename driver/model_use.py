"""The model files that a plan draws with: those whose photos nobody knows, and those that were
replaced since the images of a folder were drawn."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.json_text import parse_json, read_json
from ..core.records import MANIFEST
from .defaults import find_table
from .recipe import Prompts
from .word_list_files import read_word_lists
from .workflow.graph import Graph

if TYPE_CHECKING:  # types alone
    from .ledger import Ledger
    from .plan import Plan

SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
LEARNED = ("loras", "embeddings", "hypernetworks")
TAGS = {
    "embeddings": re.compile(r"\bembedding:([\w./\\-]+)"),
    "loras": re.compile(r"<(?:lora|lyco):([^:<>]+)"),
    "hypernetworks": re.compile(r"<hypernet:([^:<>]+)"),
}
NOTE = "note"  # of a model in manyshot.json
BY_NAME = "known by its name, and its size at most: its content could not be read"
KEY = "models"  # of the ledger's memory
Hashes = Mapping[str, Mapping[str, str]]
"""Model's name -> what tells its content: "sha256", or the hashes that it says of itself."""


def model_files(graph: Graph) -> Iterator[str]:
    """The literals of a graph that name a model file."""
    for node in graph.values():
        for value in node["inputs"].values():
            if isinstance(value, str) and value.endswith(SUFFIXES):
                yield value


def find_prompt_networks(plan: "Plan") -> list[str]:
    """Files that prompts call, as "embeddings/name" and "loras/name"."""
    texts = [*_recipe_texts(plan), *_graph_texts(plan)]
    names = (
        f"{folder}/{name.strip()}"
        for text in texts
        for folder, tag in TAGS.items()
        for name in tag.findall(text)
    )
    return sorted(set(names))


def find_foreign_models(plan: "Plan") -> list[str]:
    """LoRA, embeddings and hypernetworks of a plan that are no subjects of its recipe: what they
    learned from is not known."""
    subject_stems = {Path(subject.name).stem for subject in plan.subjects.values()}
    loaded = {name for graph in _graphs(plan) for name in _find_networks(graph)}
    names = {*loaded, *find_prompt_networks(plan)}
    return sorted(name for name in names if Path(name.replace("\\", "/")).stem not in subject_stems)


def check_replaced(plan: "Plan", ledger: "Ledger", servers: Iterable[Mapping[str, Any]]) -> Hashes:
    """Raises InputError when a model file is another than the one that the folder's images were
    drawn with; otherwise all that is known of them now, for `remember_models`.

    `servers`: their facts, as manyshot.json keeps them. Folders of earlier versions are compared by
    that file. Subjects of the recipe are part of the jobs' ids.
    """
    folder, subject_names = plan.recipe.output, {subject.name for subject in plan.subjects.values()}
    remembered = ledger.recall(KEY)
    before = parse_json(remembered) if remembered else _of_manifest(folder)
    now = collect_hashes(servers)
    images, _ = ledger.images()
    replaced = [
        name
        for name in sorted(now.keys() & before.keys() - subject_names)
        if _differ(before[name], now[name])
    ]
    if replaced and images:
        raise InputError(
            f"{', '.join(replaced)} was replaced since {folder} was started: the images "
            f"there ({images:,}) were drawn with the old file. Restore it, or choose another "
            "output."
        )
    return {**before, **now}


def remember_models(ledger: "Ledger", models: Hashes) -> None:
    """Keep what the folder is drawn with, once its plan is taken."""
    ledger.remember(KEY, json.dumps(models))


def collect_hashes(servers: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """What the servers' facts tell of the content of each model. Raises InputError when two
    servers have different files of one name."""
    hashes_by_name: dict[str, dict[str, str]] = {}
    for server in servers:
        for model in server.get("models") or []:
            name, digests = model["name"], _telling(model)
            if _differ(hashes_by_name.get(name, {}), digests):
                raise InputError(
                    f"The servers have different files named {name}: their images would come "
                    "from two models. Copy one of them to the other servers, or leave "
                    "servers out."
                )
            if digests:
                hashes_by_name[name] = {**hashes_by_name.get(name, {}), **digests}
    return hashes_by_name


def unsure_files(servers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Model files that several servers have under one name, and of which nothing but their size
    tells that they are the same."""
    keys_by_name: dict[str, list[set[str]]] = {}
    for server in servers:
        for model in server.get("models") or []:
            keys = {key for key in model if model[key] and key != NOTE}
            keys_by_name.setdefault(model["name"], []).append(keys)
    comparable = {
        name
        for name, keys in keys_by_name.items()
        if len(keys) == 1 or set.intersection(*keys) - {"name", "bytes"}
    }
    return sorted(keys_by_name.keys() - comparable)


def explain_unhashed(servers: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each server with model files whose content nothing tells."""
    names_by_server = {
        server["name"]: [m["name"] for m in server.get("models") or [] if _is_named_only(m)]
        for server in servers
    }
    return [
        f"{server} does not report the content of {', '.join(names)}: if you replace such a "
        "file under the same name, later runs will not notice. Choose another output in "
        "that case."
        for server, names in names_by_server.items()
        if names
    ]


def with_notes(servers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Facts of servers, with a note for each model file whose content nothing tells."""
    noted: list[dict[str, Any]] = []
    for server in servers:
        models = [
            {**m, NOTE: BY_NAME} if _is_named_only(m) else m for m in server.get("models") or []
        ]
        noted.append({**server, "models": models} if models else dict(server))
    return noted


def _is_named_only(model: Mapping[str, Any]) -> bool:
    return not _telling(model).keys() - {"bytes"}


def _telling(model: Mapping[str, Any]) -> dict[str, Any]:
    """What a server's facts tell of the content of a model."""
    return {key: value for key, value in model.items() if key not in ("name", NOTE) and value}


def unsure_sentences(servers: Iterable[Mapping[str, Any]]) -> list[str]:
    names = unsure_files(servers)
    return [
        f"The servers do not report whether {name} is the same file on each of them. If it "
        "is not, the images come from several models."
        for name in names
    ]


def _differ(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    return any(first[key] != second[key] for key in first.keys() & second.keys())


def _of_manifest(folder: Path) -> Hashes:
    try:
        return collect_hashes(read_json(folder / MANIFEST)["servers"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return {}


def _find_networks(graph: Graph) -> Iterator[str]:
    """Files that a node loads beside the base, by what the node or its input is called."""
    for node in graph.values():
        for key, value in node["inputs"].items():
            called = f"{node['class_type']} {key}".lower()
            file = isinstance(value, str) and value.endswith(SUFFIXES)
            if file and ("lora" in called or "hypernetwork" in called):
                yield str(value)


def _graphs(plan: "Plan") -> list[Graph]:
    bound = plan.bound.graphs
    return [bound.graph(job, "0") for job in plan.samples()] if bound else []


def _graph_texts(plan: "Plan") -> Iterator[str]:
    for graph in _graphs(plan):
        for node in graph.values():
            yield from (value for value in node["inputs"].values() if isinstance(value, str))


def _recipe_texts(plan: "Plan") -> Iterator[str]:
    prompts, classes = plan.recipe.prompts or Prompts(), plan.recipe.classes
    yield from [*prompts.templates, *prompts.contexts, prompts.negative, *prompts.words.values()]
    for override in prompts.per_class.values():
        yield from [*(override.templates or ()), *(override.contexts or ())]
        yield override.negative or ""
    if table := find_table(plan.recipe):
        for row in (row for rows in table.rows.values() for row in rows):
            yield from [row.prompt, row.negative or ""]
    yield from (word for words in read_word_lists(prompts.lists).values() for word in words)
    if isinstance(classes, dict):
        yield from classes.values()
