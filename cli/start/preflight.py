"""What can be checked before anything is trained: servers, and the checkpoint that they load."""

from ...core.errors import InputError
from ...driver.address import EMBEDDED
from ...driver.embedded.cache_folders import models_folder
from ...driver.recipe import Recipe
from ...driver.targets.target import Local, open_servers
from .options import Options


def check_servers(options: Options, pictures: Recipe) -> None:
    """Raises ServerError when none of the servers answers, and InputError for a checkpoint that
    the embedded one does not have."""
    remote = [address for address in pictures.servers if address.url != EMBEDDED]
    if remote:
        with open_servers(pictures.model_copy(update={"servers": remote}), Local()):
            return
    if options.base is None or options.comfyui is not None:
        return
    checkpoints = models_folder() / "checkpoints"
    if not (checkpoints / options.base.name).exists():
        raise InputError(
            f"The embedded ComfyUI does not have {options.base.name}. Name a ComfyUI that "
            "has it with --comfyui FOLDER or --server ADDRESS, or link the file into "
            f"{checkpoints}."
        )
