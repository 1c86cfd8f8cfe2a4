"""What a recipe leaves open is taken from the workflow's class prompts node, then from defaults."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.classes import check_class_names
from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.file_kinds import TEXT, refuse_other
from ..core.lines import content_lines, read_classes, read_lists, read_words, without_comments
from ..core.prompts import PromptSet
from ..core.recognise import recognise
from ..core.text_file import read_text_file
from ..core.webui_prompt import PLAIN, Language
from ..core.webui_prompt.from_comfy import escape
from ..core.webui_prompt.matrix import matrix
from ..core.wildcards import literal
from .recipe import Prompts, Recipe
from .subjects import Subjects, pool_contexts

IMAGES_PER_CLASS = 8


def resolve_defaults(
    recipe: Recipe,
    node: Mapping[str, Any],
    subjects: Subjects | None = None,
    photographed: Sequence[str] = (),
    language: Language = PLAIN,
) -> Recipe:
    """`recipe` with classes, prompts, images_per_class and seed filled in.

    `node` holds the inputs of the workflow's ManyshotClassPrompts, or nothing. With `subjects`
    each class is called by its subject's word. `photographed`: the classes of the recipe's pairs,
    which are made unless it names some. `language`: of the prompts. Raises InputError
    when nothing says what the classes are, a class has no subject, or a class file cannot be read.
    """
    return recipe.model_copy(
        update={
            "classes": _subject_classes(recipe, subjects, language)
            if subjects
            else _classes(recipe, node, photographed),
            "prompts": _in_context(recipe.prompts or _prompts(node), subjects or {}, language),
            "images_per_class": recipe.images_per_class or _whole(node, "images_per_class"),
            "seed": recipe.seed if recipe.seed is not None else _whole(node, "seed"),
        }
    )


def class_words(recipe: Recipe) -> dict[str, str]:
    """Class name -> words for the prompt, of a settled recipe."""
    match recipe.classes:
        case dict() as words:
            return dict(words)
        case list() as names:
            return dict.fromkeys(names, "")
    raise TypeError("settle the recipe first")


def images_per_class(recipe: Recipe) -> int:
    """How many images each class gets, for each combination of the sweep."""
    return recipe.images_per_class or IMAGES_PER_CLASS


def prompt_set(recipe: Recipe, language: Language = PLAIN) -> PromptSet:
    """The prompts of a settled recipe, in a `language`.

    Raises InputError for wrong templates or wildcards.
    """
    prompts = recipe.prompts or Prompts()
    rest = (prompts.contexts, prompts.negative, prompts.lists, prompts.words, language)
    if not prompts.matrix:
        return PromptSet(class_words(recipe), prompts.templates, *rest)
    templates = [combined for template in prompts.templates for combined in matrix(template)]
    try:
        return PromptSet(class_words(recipe), templates, *rest)
    except InputError as error:
        counted = "Templates are counted with all combinations of 'prompts.matrix'."
        raise InputError(f"{error} {counted}") from None


def _classes(
    recipe: Recipe, node: Mapping[str, Any], photographed: Sequence[str] = ()
) -> dict[str, str] | list[str]:
    if isinstance(recipe.classes, Path):
        return _class_file(recipe.classes)
    if recipe.classes:
        return recipe.classes
    if photographed:
        check_class_names(photographed)
        words = (recipe.prompts or _prompts(node)).words
        return {name: words.get(name, "") for name in photographed}
    text = node.get("classes")
    if not isinstance(text, str):
        raise InputError(
            "The recipe names no classes. Add 'classes: [one, another]', 'subjects', or 'pairs'."
        )
    return read_classes(text)


def _subject_classes(recipe: Recipe, subjects: Subjects, language: Language) -> dict[str, str]:
    """The recipe's classes, or those of its subjects, with the words that call them."""
    names = list(_classes(recipe, {})) if recipe.classes else list(subjects)
    for name in names:
        if name not in subjects:
            raise InputError(
                f"There is no subject for the class {name!r}; there are subjects for "
                f"{', '.join(subjects)}.{did_you_mean(name, subjects)}"
            )
    return {name: literal(escape(subjects[name].subject.word, language)) for name in names}


def _in_context(prompts: Prompts, subjects: Subjects, language: Language) -> Prompts:
    """Contexts that templates ask for and nothing gives are those of the subjects' captions."""
    takes_context = any("{context}" in text for text in prompts.templates)
    if prompts.contexts or not takes_context:
        return prompts
    contexts = [literal(escape(text, language)) for text in pool_contexts(subjects)]
    return prompts.model_copy(update={"contexts": contexts})


def _class_file(path: Path) -> dict[str, str]:
    refuse_other(path, recognise(path), "a text file of class names", TEXT)
    try:
        return read_classes(read_text_file(path, "class file"))
    except FileNotFoundError:
        names = ", ".join(name.strip() for name in str(path).split(","))
        raise InputError(
            f"The class file {path} does not exist. Classes in the recipe itself are written "
            f"as a list: 'classes: [{names}]'."
        ) from None


def _prompts(node: Mapping[str, Any]) -> Prompts:
    lists = read_lists(_text(node, "lists"))
    return Prompts(
        templates=content_lines(_text(node, "templates")) or Prompts().templates,
        contexts=content_lines(_text(node, "contexts")),
        negative=without_comments(_text(node, "negative")),
        lists={name: list(words) for name, words in lists.items()},
        words=read_words(_text(node, "words")),
    )


def _text(node: Mapping[str, Any], name: str) -> str:
    """An input as it was typed; nothing for one that is linked."""
    value = node.get(name)
    return value if isinstance(value, str) else ""


def _whole(node: Mapping[str, Any], name: str) -> int:
    value = node.get(name)
    default = IMAGES_PER_CLASS if name == "images_per_class" else 0
    return value if isinstance(value, int) else default
