"""What draws: manyshot-tiny and what it knows, or another model and the workflow that loads it."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ...core.errors import InputError
from ...core.model_family import file_facts
from ...core.user_path import expand_path
from ...driver.recipe import read_recipe
from .options import Method, Way

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {
    Method.LORA: "subject_lora",
    Method.TEXTUAL_INVERSION: "subject_embedding",
    Method.DREAMBOOTH: "subject_dreambooth",
}
SIZES = {"SD 1.x": 512, "SDXL": 1024}


@cache
def breeds() -> dict[str, str]:
    """The classes that manyshot-tiny has learned by name, and their words in its prompts."""
    classes = read_recipe(ROOT / "recipes" / "demo_classes.yaml").classes
    assert isinstance(classes, dict)
    return classes


def known_words(classes: Sequence[str]) -> dict[str, str]:
    """Class name -> words, of those that manyshot-tiny knows: "american_bulldog" is one."""
    words = {_plain(name): text for name, text in breeds().items()}
    return {name: words[_plain(name)] for name in classes if _plain(name) in words}


def _plain(name: str) -> str:
    return spoken(name).casefold()


def spoken(name: str) -> str:
    """A class's name as words: "espresso_cup" is "espresso cup"."""
    return " ".join(name.replace("_", " ").replace("-", " ").split()) or name


def workflow_way(workflow: str) -> Way:
    """How a workflow makes images, by its nodes and by what its name says where it is ours."""
    text = workflow_text(workflow)
    if "ManyshotSubject" in text:
        return Way.SUBJECTS
    return Way.MASKS if "ManyshotLoadLabelled" in text else Way.NAMES


def draws_with_tiny(workflow: str) -> bool:
    """Whether manyshot-tiny is what the workflow loads."""
    return "manyshot-tiny" in workflow_text(workflow)


def workflow_text(workflow: str) -> str:
    """The JSON of a workflow file, or of one that manyshot brings. Raises InputError."""
    brought = ROOT / "workflows" / "api" / f"{workflow}.json"
    path = brought if brought.is_file() else Path(expand_path(workflow))
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise InputError(
            f"There is no workflow {workflow}: pass a file that ComfyUI saved, or the name "
            "of one that comes with manyshot, such as class_prompts_sd15; docs/artists.md "
            "lists them."
        ) from None


def image_size(base: Path) -> int:
    """The side in pixels of what a checkpoint draws. Raises InputError for one of no known kind."""
    if base.is_dir():
        raise InputError(
            f"{base} is a folder, but ComfyUI loads checkpoints from a single .safetensors "
            "file. Pass that file."
        )
    if not base.is_file():
        raise InputError(f"There is no checkpoint at {base}.")
    facts = file_facts(base)
    if facts is None or facts.kind != "model" or facts.family not in SIZES:
        raise InputError(
            f"{base} is not a .safetensors checkpoint of Stable Diffusion 1.x or XL, which "
            "subjects need."
        )
    return SIZES[facts.family]
