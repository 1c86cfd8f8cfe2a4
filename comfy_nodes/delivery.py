"""Where labelled images go: into a dataset folder on the server, or to the client that asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from ..core.dataset_files import image_name, mask_name, next_number
from ..core.errors import InputError
from ..core.files import write_atomic
from ..core.paths import inside
from ..core.record_file import add_records
from .label_masks import MaskFile


@dataclass(frozen=True)
class Pictures:
    """The PNG files of one batch; `masks` is empty or as long as `images`."""

    images: Sequence[bytes]
    masks: Sequence[MaskFile]


def to_folder(
    pictures: Pictures,
    output: Path,
    folder: str,
    name: str,
    facts: Mapping[str, Any],
    count_on: bool = False,
) -> dict[str, list[dict[str, str]]]:
    """Write the files and their records below output/folder; what was written, as ComfyUI lists it.

    `facts` are fields of the records, with class_name. Files come first and records last, so that
    no record ever names a file that is not there. `count_on`: from the files of that name on, so
    that none is replaced; otherwise from 0.
    """
    root = inside(output, *folder.split("/"))
    class_name = facts["class_name"]
    first = next_number(root, class_name, name) if count_on else 0
    images = [image_name(class_name, name, first + i) for i in range(len(pictures.images))]
    masks = [mask_name(class_name, name, first + i) for i in range(len(pictures.masks))]
    data = [*pictures.images, *(mask.data for mask in pictures.masks)]
    for file, content in zip([*images, *masks], data, strict=True):
        write_atomic(inside(root, *file.split("/")), content)
    of_masks = [
        {"mask_file_name": file, "objects": mask.objects}
        for file, mask in zip(masks, pictures.masks, strict=True)
    ]
    add_records(
        root,
        [
            {**facts, "file_name": image, **of_mask}
            for image, of_mask in zip(images, of_masks or [{}] * len(images), strict=True)
        ],
    )
    shown = {"images": [_preview_entry(folder, file) for file in images]}
    return shown | ({"masks": [_preview_entry(folder, file) for file in masks]} if masks else {})


def to_client(pictures: Pictures, prompt_id: str, node_id: str, display_node_id: str) -> None:
    """Send every image, then every mask, to the websocket client whose prompt this is.

    Each is one binary PREVIEW_IMAGE_WITH_METADATA message. Raises InputError when the prompt was
    queued without a client_id: its images would go to everybody.
    """
    from protocol import BinaryEventTypes
    from server import PromptServer

    server = PromptServer.instance
    if not server.client_id:
        raise InputError(
            "Websocket delivery needs a client: queue the prompt with the client_id of an "
            "open websocket, or set delivery to 'folder'."
        )
    where = {"prompt_id": prompt_id, "node_id": node_id, "display_node_id": display_node_id}
    masks = [mask.data for mask in pictures.masks]
    for kind, files in (("image", pictures.images), ("mask", masks)):
        for index, data in enumerate(files):
            what = {"kind": kind, "index": index, "count": len(files)}
            message = (("PNG", _Encoded(data), None), {**where, "manyshot": what})
            server.send_sync(
                BinaryEventTypes.PREVIEW_IMAGE_WITH_METADATA, message, server.client_id
            )


class _Encoded:
    """A finished PNG where ComfyUI expects a picture to encode: it would do so in the event loop
    that serves all clients."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def save(self, file: BytesIO, **_options: object) -> None:
        file.write(self._data)


def _preview_entry(folder: str, file: str) -> dict[str, str]:
    subfolder, _, filename = f"{folder}/{file}".rpartition("/")
    return {"filename": filename, "subfolder": subfolder, "type": "output"}
