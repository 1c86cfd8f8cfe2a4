"""The documents point to what there is: links, headings, files, commands and recipes."""

import re
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
import typer
import yaml
from manyshot.cli import app
from manyshot.core.errors import InputError
from manyshot.driver.recipe import Recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from PIL import Image
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("comfy_nodes/web/docs/*.md")]
)
LINK = re.compile(r"\]\((?!https?:|mailto:|data:)([^)\s]*)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`((?:core|driver|trainer|comfy_nodes|webui|cli|docs|tests)/[\w./]*)`")
KINDS = {"measure.yaml": MeasureRecipe, "subjects.yaml": SubjectRecipe, "images.yaml": Recipe}


def identify(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Headings as GitHub addresses them."""
    headings = re.findall(
        r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE
    )
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"\]\(.*?\)", "", text)).lower() for text in headings)
    return {text.strip().replace(" ", "-") for text in plain}


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_every_relative_link_resolves(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} is not there"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{target}: no such heading"


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_file_of_the_map_exists(page: str) -> None:
    named = FILE.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def fenced(page: str, *languages: str) -> list[str]:
    """The page's blocks of code in these languages."""
    found = FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
    return [code for language, code in found if language in languages]


def commands(page: str) -> list[list[str]]:
    """What a page's shell blocks run of manyshot, each without the program's name."""
    lines = "\n".join(fenced(page, "sh")).splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("manyshot ")]


@pytest.mark.parametrize("page", ["docs/own_photos.md", "docs/batch.md", "README.md"])
def test_the_commands_of_a_guide_parse(page: str) -> None:
    for words in commands(page):
        command = typer.main.get_command(app)
        while commands_below := getattr(command, "commands", None):
            name, *words = words
            assert name in commands_below, f"no command {name}"
            command = commands_below[name]
        with suppress(InputError):  # the paths are not there
            command.make_context(command.name, list(words))


def tutorial() -> dict[str, str]:
    """The recipes of the tutorial by file name."""
    blocks = (code.split("\n", 1) for code in fenced("docs/own_photos.md", "yaml"))
    return {first.removeprefix("# "): rest for first, rest in blocks}


def test_the_recipes_of_the_tutorial_parse() -> None:
    recipes = tutorial()
    assert recipes.keys() == KINDS.keys()
    for name, text in recipes.items():
        KINDS[name].model_validate(yaml.safe_load(text))


def test_the_first_steps_of_the_tutorial_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in tutorial().items():
        Path(name).write_text(text, encoding="utf-8")
    for number in range(16):
        for place, dish in enumerate(("pizza", "ramen")):
            photo = Path("photos") / dish / f"{number}.png"
            photo.parent.mkdir(parents=True, exist_ok=True)
            Image.effect_noise((64, 64), 20 + 40 * place + number).convert("RGB").save(photo)
    Path("images").mkdir()
    [shots] = [words for words in commands("docs/own_photos.md") if words[0] == "shots"]
    said = CliRunner().invoke(app, shots)
    assert said.exit_code == 0, said.output
    draws = sorted(path.name for path in Path("draws").iterdir())
    assert draws == [f"5-{draw}" for draw in range(5)]
    assert len(list(Path("draws/5-0/pizza").iterdir())) == 5
