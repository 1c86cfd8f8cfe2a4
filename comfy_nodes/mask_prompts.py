"""Prompt from Mask: a prompt for every mask, from the classes that it shows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from comfy_api.latest import io

from ..core.counted import did_you_mean
from ..core.errors import InputError
from ..core.lines import read_words
from .input_files import each
from .prompt_lists import prompt_outputs, read_prompts, rows_output, seed_input, text_inputs
from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor


class ManyshotMaskPrompts(io.ComfyNode):
    """Class Prompts for masks that are already there: one prompt each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotMaskPrompts",
            display_name="Prompt from Mask",
            category="manyshot/prompts",
            search_aliases=["mask prompts", "prompt list", "caption from mask"],
            description="Writes one prompt per mask: {classes} becomes what the mask shows, "
            "such as 'cat and dog'. Cycles through templates and contexts.",
            is_input_list=True,
            inputs=[
                io.Mask.Input("mask", tooltip="The label masks, from Load Labelled Photos."),
                io.String.Input(
                    "mask_classes",
                    optional=True,
                    force_input=True,
                    tooltip="The class of each mask value, from the node that outputs the "
                    "masks. Without it {classes} is the class_name.",
                ),
                io.String.Input(
                    "class_name",
                    default="",
                    tooltip="The class of each image, used as its folder. Empty: the first "
                    "class in its mask.",
                ),
                *text_inputs("{classes}"),
                io.String.Input(
                    "words",
                    multiline=True,
                    default="",
                    placeholder="words, as in pug: a pug dog",
                    tooltip="Optional. Words for a class in prompts, instead of its name, "
                    "one class per line, as in 'pug: a pug dog'.",
                ),
                seed_input(),
            ],
            outputs=prompt_outputs(),
        )

    @classmethod
    def validate_inputs(
        cls,
        class_name: list[str | None],
        templates: list[str | None],
        contexts: list[str | None],
        lists: list[str | None],
        negative: list[str | None],
        words: list[str | None],
    ) -> bool | str:
        texts = [text[0] for text in (templates, contexts, lists, negative, words)]
        if any(text is None for text in texts):
            return True  # wired to another node: known only when it runs
        try:
            read_prompts({class_name[0] or "class": ""}, *map(str, texts))
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        mask: "list[Tensor]",
        class_name: list[str],
        templates: list[str],
        contexts: list[str],
        lists: list[str],
        negative: list[str],
        words: list[str],
        seed: list[int],
        mask_classes: list[str] | None = None,
    ) -> io.NodeOutput:
        named = each("mask_classes", mask_classes or [""], len(mask))
        shown = [
            _visible_classes(*pair, place)
            for place, pair in enumerate(zip(mask, named, strict=True))
        ]
        class_names = each("class_name", class_name, len(mask))
        names = [name or first[0] for name, first in zip(class_names, shown, strict=True)]
        called = read_words(words[0])
        _check_words(called, {*names, *(name for classes in shown for name in classes)}, named)
        classes = {name: called.get(name, "") for name in names}
        prompts = read_prompts(
            classes, templates[0], contexts[0], lists[0], negative[0], words=words[0]
        )
        labelled = [classes if text else () for classes, text in zip(shown, named, strict=True)]
        rows = zip(names, _places(names), labelled, strict=True)
        return rows_output(
            [prompts.at(name, i, seed[0], mask_classes) for name, i, mask_classes in rows]
        )


def _visible_classes(mask: "Tensor", mask_classes: str, place: int) -> tuple[str, ...]:
    """All classes that a mask, or any of a batch, shows. Raises InputError for none."""
    from .label_masks import label_masks

    classes = dict.fromkeys(
        name
        for label_mask in label_masks(mask, mask_classes)
        for name in label_mask.visible_classes()
    )
    if not classes:
        raise InputError(
            f"Mask {place + 1} shows only background: there is nothing to name. Remove it, "
            "or check how its classes are named."
        )
    return tuple(classes)


def _check_words(words: Iterable[str], used: Iterable[str], named: Iterable[str]) -> None:
    """Raises InputError for words of a class that no mask and no class_name has."""
    mask_names = {*used, *(name.strip() for text in named for name in text.splitlines())}
    for name in words:
        if name not in mask_names:
            raise InputError(
                f"words lists {name!r}, which no mask has.{did_you_mean(name, mask_names)}"
            )


def _places(names: Sequence[str]) -> list[int]:
    """The place of each image among those of its class: what its prompt follows from."""
    counts: Counter[str] = Counter()
    places = []
    for name in names:
        places.append(counts[name])
        counts[name] += 1
    return places
