"""The masks of an export: one table of classes for all label masks, one meaning for the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...core.classes import check_class_names
from ...core.masks.compose import join_names, recode
from ...core.masks.conventions import PALETTE, infer_code
from ...core.masks.label_mask import BACKGROUND_NAME, OBJECT_NAME, LabelMask, MaskCode
from ...core.masks.labelled_png import encode_png, read_class_names, read_labelled, read_labels
from ...core.masks.set_code import read_palette

TABLE = "mask_classes.txt"


@dataclass(frozen=True)
class Masks:
    """What the masks of a dataset folder mean.

    `named`: the classes that each label mask names; `plain`: the masks that name none.
    """

    folder: Path
    named: Mapping[Path, tuple[str, ...]]
    plain: tuple[Path, ...]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The table of all label masks, background first: a value is one class in all of them.

        Raises InputError for two names that look the same.
        """
        names = join_names(self.named.values())
        if names:
            check_class_names(names)
        return names

    @cached_property
    def code(self) -> MaskCode:
        """What the plain masks mean: by palette.yaml in the folder, or by their values."""
        palette = self.folder / PALETTE
        return read_palette(palette) if palette.is_file() else infer_code(self.plain, blank=True)

    @cached_property
    def black_and_white(self) -> bool:
        """Whether the object of plain masks has no name but the class of its image."""
        return set(self.code.classes) == {BACKGROUND_NAME, OBJECT_NAME}

    def label_mask(self, path: Path) -> LabelMask:
        """A mask by its names, or by the code of the plain ones. Raises InputError."""
        mask = read_labelled(path)
        return LabelMask(read_labels(path, self.code), self.code.classes) if mask is None else mask

    def data(self, path: Path) -> bytes:
        """The file of a mask: a label mask by the one table, any other as it is."""
        mask = read_labelled(path) if self.named.get(path, self.classes) != self.classes else None
        return path.read_bytes() if mask is None else encode_png(recode(mask, self.classes))

    def write_table(self, folder: Path) -> None:
        """mask_classes.txt: the classes of label masks, a line for each value from 0 on."""
        if self.classes:
            text = "".join(f"{name}\n" for name in self.classes)
            (folder / TABLE).write_text(text, encoding="utf-8")


def read_masks(folder: Path, masks: Sequence[Path]) -> Masks:
    """Which masks name their classes, and which. Raises InputError for a file that is no image."""
    classes_by_mask = {mask: read_class_names(mask) for mask in masks}
    named = {mask: classes for mask, classes in classes_by_mask.items() if classes is not None}
    return Masks(folder, named, tuple(mask for mask in masks if mask not in named))
