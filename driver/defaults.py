"""What a recipe leaves open is taken from the workflow's class prompts node, then from defaults."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.classes import check_class_names, normalise_class
from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.file_kinds import TEXT, refuse_other
from ..core.image_files import image_files, visible_folders
from ..core.lines import content_lines, read_classes, read_lists, read_words, without_comments
from ..core.prompts import PromptSet
from ..core.recognise import recognise
from ..core.text_file import read_text_file
from ..core.webui_prompt import PLAIN, Language
from ..core.webui_prompt.from_comfy import escape
from ..core.webui_prompt.matrix import matrix
from ..core.wildcards import literal
from .inputs import PerClass
from .prompt_settings import Prompts
from .prompt_table import ClassPromptSets, PromptTable, TablePrompts, read_table
from .recipe import Recipe
from .subjects import Subjects, pool_contexts
from .word_list_files import read_word_lists

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


def image_counts(recipe: Recipe) -> dict[str, int]:
    """Class name -> how many images it gets, for each combination of a settled recipe's sweep.

    Raises InputError for a class without a count, and for a count without its class.
    """
    names = class_words(recipe)
    if table := find_table(recipe):
        counts = table.image_counts()
        return {name: counts.get(name, 0) for name in names}
    setting = recipe.images_per_class or IMAGES_PER_CLASS
    if isinstance(setting, dict):
        PerClass(dict(setting)).check_classes(names, "'images_per_class'")
    counts = setting if isinstance(setting, dict) else dict.fromkeys(names, setting)
    photos = _count_photos(recipe.top_up, names) if recipe.top_up else {}
    return {name: max(0, counts[name] - photos.get(name, 0)) for name in names}


def most_images(recipe: Recipe) -> int:
    """How many images the class with the most gets."""
    return max(image_counts(recipe).values())


def _count_photos(folder: Path, names: Collection[str]) -> dict[str, int]:
    """Class name -> its photos in a folder of class folders. Raises InputError for no such."""
    if not folder.is_dir():
        raise InputError(f"'top_up': there is no folder {folder}.")
    folders = {normalise_class(path.name): path for path in visible_folders(folder)}
    if not folders.keys() & set(names):
        raise InputError(
            f"'top_up': {folder} has no folder named as a class of the recipe, such as "
            f"{next(iter(names))!r}: its photos are to lie in a folder for each class."
        )
    return {name: len(image_files(path)) for name, path in folders.items()}


def find_table(recipe: Recipe) -> PromptTable | None:
    """The recipe's table of prompts, if it names one. Raises InputError for a wrong one."""
    path = recipe.prompts and recipe.prompts.file
    return read_table(path) if path else None


def table_fields(recipe: Recipe) -> tuple[str, ...]:
    """The job fields that the recipe's table of prompts adds."""
    table = find_table(recipe)
    return table.fields if table else ()


Source = PromptSet | TablePrompts | ClassPromptSets


def prompt_set(recipe: Recipe, language: Language = PLAIN) -> Source:
    """The prompts of a settled recipe, in a `language`.

    Raises InputError for wrong templates or wildcards.
    """
    prompts, names = recipe.prompts or Prompts(), class_words(recipe)
    if table := find_table(recipe):
        _check_table(table, names)
        return TablePrompts(table, list(names), prompts.negative)
    PerClass(dict.fromkeys(prompts.per_class, "")).check_known(names, "'prompts.per_class'")
    overrides = {
        name: _prompt_set({name: names[name]}, _own_prompts(prompts, name, names), language)
        for name in prompts.per_class
    }
    shared = {name: words for name, words in names.items() if name not in overrides}
    if not overrides:
        return _prompt_set(names, prompts, language)
    rest = _prompt_set(shared, prompts, language) if shared else None
    return ClassPromptSets({name: overrides.get(name) or rest for name in names})


def _prompt_set(names: Mapping[str, str], prompts: Prompts, language: Language) -> PromptSet:
    lists = read_word_lists(prompts.lists)
    rest = (prompts.contexts, prompts.negative, lists, prompts.words, language)
    if not prompts.matrix:
        return PromptSet(names, prompts.templates, *rest)
    templates = [combined for template in prompts.templates for combined in matrix(template)]
    try:
        return PromptSet(names, templates, *rest)
    except InputError as error:
        counted = "Templates are counted with all combinations of 'prompts.matrix'."
        raise InputError(f"{error} {counted}") from None


def _own_prompts(prompts: Prompts, name: str, names: Mapping[str, str]) -> Prompts:
    """The prompts of a class with some of its own; other classes that its masks show keep words."""
    override = prompts.per_class[name].model_dump(exclude_none=True)
    words = {other: text for other, text in names.items() if text and other != name}
    if "templates" in override and not _asks_context(override["templates"]):
        override.setdefault("contexts", [])
    return prompts.model_copy(update={**override, "words": {**words, **prompts.words}})


def _asks_context(templates: Sequence[str]) -> bool:
    return any("{context}" in template for template in templates)


def _check_table(table: PromptTable, names: Collection[str]) -> None:
    """Raises InputError for a row of a class that the recipe does not name."""
    for name in (name for name in table.class_names if name not in names):
        raise InputError(
            f"{table.path}, row {table.rows[name][0].number}: there is no class {name!r} among "
            f"the recipe's.{did_you_mean(name, names)}"
        )


def _classes(
    recipe: Recipe, node: Mapping[str, Any], photographed: Sequence[str] = ()
) -> dict[str, str] | list[str]:
    if isinstance(recipe.classes, Path):
        return _class_file(recipe.classes)
    if recipe.classes:
        return recipe.classes
    if table := find_table(recipe):
        return list(table.class_names)
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
    if prompts.contexts or not _asks_context(prompts.templates):
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
