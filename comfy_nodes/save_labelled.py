"""Save Labelled: images with their class, prompt, seed and mask become a dataset folder."""

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..core.classes import normalise_class
from ..core.errors import InputError
from ..core.paths import relative_name, safe_name
from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor

MAX_SEED = 2**64 - 1


class ManyshotSaveLabelled(io.ComfyNode):
    """Runs once for every item of its input lists."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotSaveLabelled",
            display_name="Save Labelled Images",
            category="manyshot/dataset",
            search_aliases=["save dataset", "class folders", "metadata.jsonl", "export dataset"],
            description="Saves images as a labelled dataset: one folder per class, and a "
            "metadata.jsonl with the class, label, prompt, seed and mask of "
            "every image.",
            is_output_node=True,
            inputs=[
                io.Image.Input("images", tooltip="The images of one class."),
                io.String.Input(
                    "class_name",
                    default="",
                    tooltip="Their class, also used as the folder name.",
                ),
                io.String.Input(
                    "folder",
                    default="manyshot/dataset",
                    tooltip="The dataset folder, inside ComfyUI's output folder. Saving "
                    "again adds to it.",
                ),
                io.String.Input(
                    "name",
                    default="",
                    tooltip="File name prefix; numbers count up and no file is overwritten. "
                    "Empty: names derived from the image, so that the same image is "
                    "saved once.",
                ),
                io.Combo.Input(
                    "delivery",
                    options=["folder", "websocket"],
                    default="folder",
                    tooltip="folder: save here, on the server. websocket: send the images to the "
                    "client that queued the prompt and write nothing.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="A mask of the same size, one for all or one each; saved in masks/.",
                ),
                io.String.Input(
                    "prompt",
                    optional=True,
                    force_input=True,
                    tooltip="Their prompt, for the records.",
                ),
                io.String.Input(
                    "negative",
                    optional=True,
                    force_input=True,
                    tooltip="Their negative prompt, for the records.",
                ),
                io.Int.Input(
                    "seed",
                    optional=True,
                    force_input=True,
                    min=0,
                    max=MAX_SEED,
                    tooltip="Their seed, for the records.",
                ),
                io.String.Input(
                    "mask_classes",
                    optional=True,
                    force_input=True,
                    tooltip="The class of each mask value, from the node that outputs the "
                    "mask. The mask is then saved as a label mask that names its "
                    "classes.",
                ),
                io.String.Input(
                    "source_image",
                    optional=True,
                    force_input=True,
                    tooltip="The photo they were made from: Load Labelled Photos' file_name. A "
                    "measurement then adds them only to draws that contain this "
                    "photo.",
                ),
            ],
            outputs=[],
            hidden=[
                io.Hidden.prompt,
                io.Hidden.extra_pnginfo,
                io.Hidden.unique_id,
                io.Hidden.dynprompt,
            ],
        )

    @classmethod
    def validate_inputs(
        cls, class_name: str | None, folder: str | None, name: str | None
    ) -> bool | str:
        try:
            _check_names(class_name, folder, name)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, delivery: str, **_inputs: Any) -> str:
        """Always new for websocket: an answer out of ComfyUI's cache would send no image."""
        return uuid.uuid4().hex if delivery == "websocket" else ""

    @classmethod
    def execute(
        cls,
        images: "Tensor",
        class_name: str,
        folder: str,
        name: str,
        delivery: str,
        mask: "Tensor | None" = None,
        prompt: str | None = None,
        negative: str | None = None,
        seed: int | None = None,
        mask_classes: str | None = None,
        source_image: str | None = None,
    ) -> io.NodeOutput:
        from .delivery import Pictures, to_client, to_folder
        from .label_masks import mask_files
        from .pictures import digest, mask_batch, pixels, png

        _check_names(class_name, folder, name)
        images_8bit = pixels(images)
        masks = [] if mask is None else mask_files(mask_batch(mask, images), mask_classes)
        texts = _png_texts(cls.hidden)
        pictures = Pictures([png(image, texts) for image in images_8bit], masks)
        if delivery == "websocket":
            to_client(pictures, *_place(cls.hidden))
            counts = {"images": len(images_8bit), "masks": len(masks)}
            return io.NodeOutput(ui={"manyshot": [counts]})
        class_name = normalise_class(class_name)
        facts = {"class_name": class_name, "prompt": prompt, "negative": negative, "seed": seed}
        if source_image:
            facts["source_image"] = source_image
        named = {"mask_classes": mask_classes} if mask_classes else {}
        pixels_8bit = [*images_8bit, *(file.pixels for file in masks)]
        stem = name or digest(pixels_8bit, json.dumps(facts | named))
        written = to_folder(pictures, _output_folder(), folder, stem, facts, bool(name))
        return io.NodeOutput(ui=written)


def _check_names(class_name: str | None, folder: str | None, name: str | None) -> None:
    """Raises InputError for a name that is no safe file name; None is not known yet."""
    if class_name is not None:
        safe_name(normalise_class(class_name), "class name")
    if folder is not None:
        relative_name(folder, "folder")
    if name:
        safe_name(name, "name")


def _place(hidden: Any) -> tuple[str, str, str]:
    """The ids of the running prompt, of this node, and of the node that shows it on the canvas."""
    from comfy_execution.utils import get_executing_context

    node_id = hidden.unique_id
    shown_id = hidden.dynprompt.get_display_node_id(node_id)
    return get_executing_context().prompt_id, node_id, shown_id


def _output_folder() -> Path:
    from folder_paths import get_output_directory

    return Path(get_output_directory())


def _png_texts(hidden: Any) -> dict[str, str]:
    """What ComfyUI writes into its own PNG files: dropped on the canvas, they open the workflow."""
    from comfy.cli_args import args

    if args.disable_metadata:
        return {}
    texts = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
    return {key: json.dumps(value) for key, value in texts.items() if value is not None}
