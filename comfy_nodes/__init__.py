"""The ComfyUI nodes. Only `comfy_entrypoint` in the root imports this, inside of ComfyUI."""

import logging

from comfy_api.latest import ComfyExtension, io

from .class_prompts import ManyshotClassPrompts
from .save_labelled import ManyshotSaveLabelled
from .subject import ManyshotSubject
from .subject_prompts import ManyshotSubjectPrompts
from .train_subject import ManyshotTrainSubject

log = logging.getLogger(__name__)


class ManyshotExtension(ComfyExtension):
    """All nodes of the pack, category "manyshot", and the model class of manyshot-tiny."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        _register_tiny_model()
        return [
            ManyshotClassPrompts,
            ManyshotSubject,
            ManyshotSubjectPrompts,
            ManyshotTrainSubject,
            ManyshotSaveLabelled,
        ]


def _register_tiny_model() -> None:
    """The nodes do not depend on it: a ComfyUI whose inside has changed keeps them."""
    try:
        from .tiny_model import register

        register()
    except (ImportError, AttributeError) as error:
        log.warning("manyshot-tiny cannot be loaded by this ComfyUI: %s", error)
