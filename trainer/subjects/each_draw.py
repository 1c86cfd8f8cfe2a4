"""A recipe of subjects for all draws of a measurement, as a recipe for each."""

from pathlib import Path

from ...core.counted import did_you_mean
from ...core.draw_folders import draw_folders
from ...core.errors import InputError
from ...core.image_files import image_files
from .subject_recipe import ClassFolders, SubjectRecipe

ADVICE = "`manyshot shots RECIPE FOLDER --each-draw` makes them of a measurement's recipe."


def draw_recipes(recipe: SubjectRecipe) -> list[SubjectRecipe]:
    """A recipe for each draw's folder of photos, or the recipe alone without `each_draw`.

    No two draws have a token or a file name in common: one server can have them all. Captions go
    to the draws that hold their photos. Raises InputError for a folder without draws, and for
    captions of photos that no draw holds.
    """
    classes = recipe.classes
    if not recipe.each_draw or classes is None:
        return [recipe]
    folders = draw_folders(classes.folder, ADVICE)
    names = {folder: _photo_names(folder) for folder in folders if classes.captions}
    _check_captions(classes, set().union(*names.values()))
    return [_of_draw(recipe, classes, folder, names.get(folder, set())) for folder in folders]


def _of_draw(
    recipe: SubjectRecipe, classes: ClassFolders, folder: Path, photos: set[str]
) -> SubjectRecipe:
    draw = folder.name
    of_draw = {
        "folder": folder,
        "ending": f"{classes.ending}-{draw}",
        "captions": {name: text for name, text in classes.captions.items() if name in photos},
    }
    return recipe.model_copy(
        update={
            "each_draw": False,
            "output": recipe.output / draw,
            "classes": classes.model_copy(update=of_draw),
            "together": recipe.together and f"{recipe.together}-{draw}",
        }
    )


def _photo_names(folder: Path) -> set[str]:
    """Class name/file name of each photo in class folders."""
    return {path.relative_to(folder).as_posix() for path in image_files(folder)}


def _check_captions(classes: ClassFolders, names: set[str]) -> None:
    unknown = next((name for name in classes.captions if name not in names), None)
    if unknown is not None:
        near = did_you_mean(unknown, names)
        raise InputError(f"The caption for {unknown!r} matches no photo of any draw.{near}")
