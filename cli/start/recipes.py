"""The recipes of a setup, as numbered YAML files with comments, and the reading of them."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from ...core.file_kinds import RecipeKind
from ...core.files import write_text_atomic
from ...core.recipe_file import parse_recipe_data, read_recipe_file
from ...core.recipe_schema import kind_named, place_schema, with_schema
from ...driver.recipe import Recipe
from ...trainer.measure.measure_recipe import MeasureRecipe
from ...trainer.plain_words import plain_words
from ...trainer.subjects.subject_recipe import SubjectRecipe
from .models import WORKFLOWS, image_size, spoken
from .options import Method, Way
from .photos import has_masks
from .setup import Setup, subject_nouns

SERVER_GONE = 60  # seconds without the server after which pictures are given up
SHORT = 6  # entries of a list or mapping on one line
BATCH = 10  # images of manyshot-tiny at once
KINDS: Mapping[type[BaseModel], str] = {
    Recipe: "run",
    MeasureRecipe: "measure",
    SubjectRecipe: "subject",
}


@dataclass(frozen=True)
class RecipeFile:
    """A recipe's file. `heading`: what it is for; `command`: what runs it; `notes`: comments, by
    the key that they stand above."""

    path: Path
    model: type[BaseModel]
    heading: str
    command: str
    values: Mapping[str, Any]
    notes: Mapping[str, str]

    @property
    def kind(self) -> RecipeKind:
        """By which editors find the schema."""
        return kind_named(KINDS[self.model])

    def text(self) -> str:
        """The file's YAML, its first line naming the schema for editors."""
        lines = [
            f"# {self.heading}",
            f"#   {self.command}",
            "# Paths are relative to the folder in which you run it.",
            "",
        ]
        for key, value in self.values.items():
            lines += [f"# {self.notes[key]}"] if key in self.notes else []
            lines.append(_yaml(key, value).rstrip())
        return with_schema("\n".join(lines) + "\n", self.kind)

    def recipe(self) -> BaseModel:
        """The recipe that the file holds. Raises InputError for values that none takes."""
        return parse_recipe_data(self.model, yaml.safe_load(self.text()), str(self.path))


def _yaml(key: str, value: Any) -> str:
    """One key of a recipe: short lists and mappings on one line, others on a line each."""
    short = isinstance(value, dict | list) and len(value) <= SHORT
    return yaml.safe_dump(
        {key: value},
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None if short else False,
        width=10_000,
    )


@dataclass(frozen=True)
class Places:
    """Where a setup's parts are."""

    output: Path

    @property
    def draws(self) -> Path:
        """A folder for each draw, with a folder for each class; of pairs, images/ and masks/."""
        return self.output / "draws"

    @property
    def subjects(self) -> Path:
        """A folder of trained files for each draw."""
        return self.output / "subjects"

    @property
    def pictures(self) -> Path:
        """A dataset folder, or one for each draw."""
        return self.output / "pictures"

    @property
    def results(self) -> Path:
        """The folder of results.json and report.html."""
        return self.output / "results"


def recipe_files(setup: Setup) -> list[RecipeFile]:
    """The files in the order in which they are used. Raises InputError for values that no recipe
    takes."""
    makers = {
        Way.SUBJECTS: (_subjects, _pictures, _measurement),
        Way.NAMES: (_pictures, _measurement),
        Way.MASKS: (_pictures, _measurement, *([_segmentation] if _are_all_pairs(setup) else [])),
    }
    files = [make(setup, number) for number, make in enumerate(makers[setup.way], 1)]
    for file in files:
        file.recipe()
    return files


def write_recipes(files: list[RecipeFile]) -> list[RecipeFile]:
    """Write the files that are not there, and return those that are there and say other things."""
    changed = []
    for file in files:
        if not file.path.exists():
            write_text_atomic(file.path, file.text())
            place_schema(file.path.parent, file.kind)
        elif read_recipe_file(file.model, file.path) != file.recipe():
            changed.append(file)
    return changed


def _are_all_pairs(setup: Setup) -> bool:
    """Whether a net that finds the objects can be tested, too."""
    test = setup.options.test
    return test is None or has_masks(test)


def _subjects(setup: Setup, number: int) -> RecipeFile:
    places, method = Places(setup.output), setup.method
    name = plain_words([setup.output.name], 30)[setup.output.name]
    training = setup.size.training[method.value] if setup.options.base is None else {}
    values = {
        **({"base": _written(setup.options.base)} if setup.options.base else {}),
        "each_draw": True,
        "output": _written(places.subjects),
        "classes": {"folder": _written(places.draws), "noun": subject_nouns(setup)},
        **({} if method is Method.TEXTUAL_INVERSION else {"together": name}),
        "settings": {"method": method.value, **training},
        "samples": 0,
    }
    notes = {
        "each_draw": f"Each draw learns from its own photos only. This lays them out: "
        f"{lay_out_command(setup)}",
        "classes": "What the classes are: where training starts. One word, or one per class.",
        "together": "One file holds all the classes of a draw; its name starts with this.",
        "settings": "Steps, learning rate, rank and more: see docs/subjects.md.",
        "samples": "Sample pictures of each class during training; they take time.",
    }
    path = setup.output / f"{number:02}-subjects.yaml"
    heading = "Turns the photos into words that prompts can use: one subject for each class."
    return RecipeFile(path, SubjectRecipe, heading, _command("subject train", path), values, notes)


def _pictures(setup: Setup, number: int) -> RecipeFile:
    options, places = setup.options, Places(setup.output)
    values = {
        "workflow": _workflow(setup),
        **_drawn_from(setup, places),
        "output": _written(places.pictures),
        "images_per_class": setup.images,
        **({"batch_size": min(BATCH, setup.images)} if _is_batched(setup) else {}),
        **({"bind": bind} if (bind := _bindings(setup)) else {}),
        "servers": list(options.servers) or ["embedded"],
        "timeouts": {"server_gone": SERVER_GONE},
    }
    notes = {
        "workflow": "A ComfyUI workflow: a file, or the name of one that comes with manyshot.",
        "each_draw": "Each draw uses its own subjects and gets its own folder.",
        "classes": "The words for each class in prompts.",
        "pairs": "The photos and their masks.",
        "prompts": "Templates take turns. More of them, or contexts, add variety.",
        "images_per_class": "For each draw."
        if setup.each_draw
        else "Divided by the number of photos: images from each."
        if setup.way is Way.MASKS
        else "More of them allow larger arms in the measurement.",
        "bind": "Inputs of the workflow's nodes, as Title.input.",
        "servers": "embedded, or addresses such as http://127.0.0.1:8188",
    }
    path = setup.output / f"{number:02}-pictures.yaml"
    heading = "Draws the synthetic images."
    return RecipeFile(path, Recipe, heading, _command("run", path), values, notes)


def _workflow(setup: Setup) -> str:
    if setup.options.workflow is not None:
        return setup.options.workflow
    if setup.way is Way.SUBJECTS:
        return WORKFLOWS[setup.method]
    return "keep_object" if setup.way is Way.MASKS else "class_prompts"


def _is_batched(setup: Setup) -> bool:
    return setup.tiny and setup.way is not Way.MASKS


def _drawn_from(setup: Setup, places: Places) -> dict[str, Any]:
    """What images are made from."""
    if setup.way is Way.SUBJECTS:
        return {
            "each_draw": True,
            "subjects": _written(places.subjects),
            "prompts": {"templates": ["a photo of a {subject}"]},
        }
    words = {name: setup.words.get(name, spoken(name)) for name in setup.photos.classes}
    if setup.way is Way.MASKS:
        folder = places.draws if setup.photos.split else setup.photos.pairs
        assert folder is not None
        return {"pairs": {"folder": _written(folder), "skip_empty": True}, "classes": words}
    noun = setup.options.noun
    kind = f", a type of {noun}" if noun and not setup.words else ""  # CLIP's own for Food-101
    return {"classes": words, "prompts": {"templates": [f"a photo of a {{class_name}}{kind}"]}}


def _bindings(setup: Setup) -> dict[str, Any]:
    """The sampler of manyshot-tiny, or the checkpoint and the size of another base."""
    base = setup.options.base
    if setup.options.workflow is not None or setup.way is Way.MASKS:
        return {}
    if base is None:
        return {"Sampler.cfg": 3.0 if setup.way is Way.SUBJECTS else 10.0}
    side = image_size(base)
    checkpoint = {} if setup.method is Method.DREAMBOOTH else {"Checkpoint.ckpt_name": base.name}
    size = {"Image Size.width": side, "Image Size.height": side}
    return {**checkpoint, **size, "Sampler.steps": 30, "Sampler.cfg": 7.5}


def _measurement(setup: Setup, number: int) -> RecipeFile:
    path = setup.output / f"{number:02}-measure.yaml"
    values = {
        "data": _data(setup),
        "synthetic": _written(Places(setup.output).pictures),
        "output": _written(Places(setup.output).results),
        "shots": [setup.shots],
        "draws": setup.draws,
        "seeds": setup.size.seeds,
        "arms": list(_arms(setup)),
    }
    notes = {
        "data": "Draws come from these photos. Every arm is tested on the same other photos.",
        "shots": "Photos of each class in a draw.",
        "draws": "How many times photos are drawn. One draw says nothing about other photos.",
        "seeds": "Trainings for each draw and arm.",
        "arms": "What is added to the photos, in percent of their number.",
    }
    heading = "Did the images help? Trains with and without them, and compares."
    return RecipeFile(path, MeasureRecipe, heading, _command("measure", path), values, notes)


def _segmentation(setup: Setup, number: int) -> RecipeFile:
    """The same draws as pairs of photo and mask: what images are made from, where the test photos
    come from the same folder."""
    path = setup.output / f"{number:02}-measure-masks.yaml"
    places = Places(setup.output)
    pairs = setup.photos.pairs
    assert pairs is not None
    test = setup.options.test
    values = {
        "task": "segmentation",
        "data": {
            "path": _written(pairs),
            **({"test": _written(test)} if test is not None else {}),
        },
        "synthetic": _written(places.pictures),
        "output": _written(setup.output / "results_masks"),
        "shots": [setup.shots],
        "draws": setup.draws,
        "seeds": setup.size.seeds,
        "arms": [arm for arm in _arms(setup) if arm.get("mixing") != "weight"],
    }
    heading = (
        "Do the images help to find objects, too? `manyshot start` does not measure this. It only "
        "takes the photos and masks of the draws from here."
    )
    shots = _command("shots", path, places.draws)
    notes = {"data": f"This lays out the photos and masks of the draws: {shots}"}
    return RecipeFile(path, MeasureRecipe, heading, _command("measure", path), values, notes)


def _data(setup: Setup) -> dict[str, Any]:
    return {
        key: value if key == "kind" else _written(Path(value))
        for key, value in setup.photos.data.items()
    }


def _arms(setup: Setup) -> list[dict[str, Any]]:
    """As many images as photos, all of them with little weight, and the yardstick where further
    real photos are left for it."""
    most = 100 * setup.images // setup.shots
    if setup.way is Way.MASKS:
        most = 100 * setup.size.images if setup.options.images is None else 100
    arms: list[dict[str, Any]] = [{"add": "synthetic", "ratio": min(100, most)}]
    if most > 100:
        arms.append({"add": "synthetic", "ratio": most, "mixing": "weight", "share": 0.9})
    if setup.photos.least >= 2 * setup.shots:
        arms.append({"add": "real", "ratio": 100})
    return arms


def lay_out_command(setup: Setup) -> str:
    """What lays out the photos of every draw, for subjects to be learned from."""
    measurement = setup.output / "03-measure.yaml"
    return _command("shots", measurement, Places(setup.output).draws) + " --each-draw"


def _written(path: Path) -> str:
    """A path as recipes read it: `$` is doubled, and a leading ~ is a name."""
    text = str(path).replace("$", "$$")
    return f"./{text}" if text.startswith("~") else text


def _command(command: str, *paths: Path) -> str:
    return " ".join([f"manyshot {command}", *(shlex.quote(str(path)) for path in paths)])
