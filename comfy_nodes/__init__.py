"""The ComfyUI nodes. Only `comfy_entrypoint` in the root imports this, inside of ComfyUI."""

import logging
from pathlib import Path

from comfy_api.latest import ComfyExtension, io

from ..core.errors import InputError
from ..core.samples import copy_samples
from ..core.tiny_files import WEIGHTS
from .class_prompts import ManyshotClassPrompts
from .compose_masks import ManyshotComposeMasks
from .contact_sheet import ManyshotContactSheet
from .controlnet import ManyshotControlNet
from .load_labelled import ManyshotLoadLabelled
from .load_mask import ManyshotLoadMask
from .mask_of import ManyshotMaskOf
from .mask_prompts import ManyshotMaskPrompts
from .mask_to_control import ManyshotMaskToControl
from .mixed_strengths import ManyshotMixedStrengths
from .save_labelled import ManyshotSaveLabelled
from .soft_edges import ManyshotSoftEdges
from .subject import ManyshotSubject
from .subject_prompts import ManyshotSubjectPrompts
from .train_subject import ManyshotTrainSubject
from .vary_mask import ManyshotVaryMask
from .webui_prompt import ManyshotWebUIPrompt

log = logging.getLogger(__name__)


class ManyshotExtension(ComfyExtension):
    """All nodes of the pack, category "manyshot", and the model class of manyshot-tiny."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        _register_tiny_model()
        _offer_weights()
        _add_routes()
        _check_hosts()
        _sort_templates()
        _copy_samples()
        return [
            ManyshotClassPrompts,
            ManyshotSubject,
            ManyshotSubjectPrompts,
            ManyshotTrainSubject,
            ManyshotLoadLabelled,
            ManyshotLoadMask,
            ManyshotMaskPrompts,
            ManyshotVaryMask,
            ManyshotComposeMasks,
            ManyshotMaskToControl,
            ManyshotMaskOf,
            ManyshotControlNet,
            ManyshotSoftEdges,
            ManyshotMixedStrengths,
            ManyshotSaveLabelled,
            ManyshotContactSheet,
            ManyshotWebUIPrompt,
        ]


def _register_tiny_model() -> None:
    """The nodes do not depend on it: a ComfyUI whose inside has changed keeps them."""
    try:
        from .tiny_model import register

        register()
    except (ImportError, AttributeError) as error:
        log.warning("manyshot-tiny cannot be loaded by this ComfyUI: %s", error)


def _offer_weights() -> None:
    """The pack's own checkpoint and ControlNets stand in the lists of stock loaders."""
    from folder_paths import add_model_folder_path

    for folder in sorted(path for path in WEIGHTS.glob("*") if path.is_dir()):
        add_model_folder_path(folder.name, str(folder))


def _add_routes() -> None:
    """Nodes do without: only clients that ask before they queue miss it."""
    try:
        from .families import add_route

        add_route()
    except (ImportError, AttributeError) as error:
        log.warning("This ComfyUI accepts no routes from manyshot: %s", error)


def _check_hosts() -> None:
    """Nobody's web page may reach a server of ours by a name that leads to this machine."""
    try:
        from .host_check import add_host_check

        add_host_check()
    except (ImportError, AttributeError, RuntimeError) as error:
        log.warning("This ComfyUI does not accept manyshot's host name check: %s", error)


def _sort_templates() -> None:
    """Without it they stand in any order."""
    try:
        from .template_order import add_template_order

        add_template_order()
    except (ImportError, AttributeError, RuntimeError) as error:
        log.warning("This ComfyUI does not accept manyshot's order of templates: %s", error)


def _copy_samples() -> None:
    """Templates need them, the nodes do not."""
    from folder_paths import get_input_directory

    folder = Path(get_input_directory())
    try:
        if copied := copy_samples(folder):
            log.info(
                "manyshot put %d files of its templates into %s: manyshot_*", len(copied), folder
            )
    except (OSError, InputError) as error:
        log.warning("The samples of manyshot's templates cannot be put into %s: %s", folder, error)
