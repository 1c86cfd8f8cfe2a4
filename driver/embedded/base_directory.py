"""The base directory of one server: its models, custom nodes, inputs and outputs.

Models and nodes are links. It is apart from ComfyUI's source, so that the source stays as it was
unpacked, and two servers never meet in one output folder.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...core.errors import InputError
from ...core.paths import inside
from ...core.tiny_files import TINY_CONTROLNETS, TINY_MODEL
from .cache_folders import cache_folder, models_folder
from .locks import try_lock
from .server_settings import ServerSettings
from .source import Source

PACKAGE = Path(__file__).resolve().parents[2]
NODE_PACK = "manyshot"
MODEL_KINDS = (
    *("checkpoints", "clip_vision", "controlnet", "diffusion_models", "embeddings", "loras"),
    *("text_encoders", "upscale_models", "vae", "vae_approx"),
)
TRANSIENT = ("input", "output", "temp", "user")
LOCK = ".lock"
MOST_SERVERS = 64


@dataclass(frozen=True)
class Base:
    """A base directory that this process holds.

    lock        file descriptor; the server inherits it, so the folder is taken until both are gone
    disposable  True for the cache's numbered folders: emptied before and after use
    """

    folder: Path
    lock: int
    disposable: bool

    @property
    def nodes(self) -> Path:
        """Where the node packs are linked."""
        return self.folder / "custom_nodes"

    @property
    def log(self) -> Path:
        """ComfyUI's log; earlier ones are comfyui.log.1 and so on."""
        return self.folder / "logs" / "comfyui.log"

    @property
    def model_paths(self) -> Path:
        """The file that names further model folders to ComfyUI."""
        return self.folder / "extra_model_paths.yaml"


def hold_base(folder: Path | None) -> Base:
    """Take `folder`, or the first free numbered one of the cache.

    Raises InputError when it is taken.
    """
    if folder is not None:
        folder = folder.expanduser().absolute()
        lock = try_lock(folder / LOCK)
        if lock is None:
            raise InputError(
                f"A server is already running with the base directory {folder}. Stop it, or "
                "choose another directory."
            )
        return Base(folder, lock, disposable=False)
    for number in range(1, MOST_SERVERS + 1):
        folder = cache_folder() / "servers" / str(number)
        lock = try_lock(folder / LOCK)
        if lock is not None:
            return Base(folder, lock, disposable=True)
    raise InputError(f"{MOST_SERVERS} embedded servers are already running on this machine.")


def release_base(base: Base) -> None:
    """Let go of the folder; what a disposable one holds is removed first."""
    if base.disposable:
        _empty(base)
    os.close(base.lock)


def prepare_base(base: Base, source: Source, settings: ServerSettings) -> None:
    """Lay out the folder: the node packs, model files and model paths that `settings` asks for.

    Links of an earlier start are replaced. Raises InputError for a file that does not exist.
    """
    if base.disposable:
        _empty(base)
    for name in TRANSIENT:
        (base.folder / name).mkdir(parents=True, exist_ok=True)
    _link_all(base.nodes, _node_packs(source, settings.extra_nodes))
    _link_all(base.folder / "models", _models(settings))
    for kind in MODEL_KINDS:
        (base.folder / "models" / kind).mkdir(parents=True, exist_ok=True)
    _write_model_paths(base, source, _models_folder(settings))


def _node_packs(source: Source, extra: Iterable[Path]) -> dict[str, Path]:
    """Name in custom_nodes/ -> what is linked there."""
    packs = {path.name: path.absolute() for path in extra}
    websocket_node = source.folder / "custom_nodes" / "websocket_image_save.py"
    if source.users_own:  # its own custom nodes are loaded from its own folder
        has_pack = (source.folder / "custom_nodes" / NODE_PACK).exists()
        return packs if has_pack else {NODE_PACK: PACKAGE, **packs}
    return {NODE_PACK: PACKAGE, websocket_node.name: websocket_node, **packs}


def _models(settings: ServerSettings) -> dict[str, Path]:
    """Name below models/ -> the file linked there."""
    tiny = {f"controlnet/{path.name}": path for path in TINY_CONTROLNETS.values()}
    tiny[f"checkpoints/{TINY_MODEL.name}"] = TINY_MODEL
    brought = {name: path for name, path in tiny.items() if path.is_file()}
    return brought | {name: path.absolute() for name, path in settings.extra_models.items()}


def _models_folder(settings: ServerSettings) -> Path:
    """The user's own model files: the folder of `settings`, which must be there, or the cache's."""
    if settings.models is None:
        return models_folder()
    if not settings.models.is_dir():
        raise InputError(f"There is no folder of models at {settings.models}.")
    return settings.models.expanduser().absolute()


def _link_all(folder: Path, links: dict[str, Path]) -> None:
    """Make `folder` anew, with these links and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, target in links.items():
        if not target.exists():
            raise InputError(f"{target} does not exist, so the server cannot use it as {name}.")
        link_file(inside(folder, name), target)


def link_file(link: Path, target: Path) -> None:
    """Let the path `link` lead to `target`; a copy where the disk has no links."""
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:  # a file system without links
        _copy(target, link)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or a package without what is beside it in a checkout."""
    if source.is_dir():
        ignored = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "tests", "runs")
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy2(source, target)


def _write_model_paths(base: Base, source: Source, models: Path) -> None:
    """Name the user's model folder to ComfyUI, and to a ComfyUI of the user our folders too."""
    sections: dict[str, dict[str, str | bool]] = {
        "models": {"is_default": True} | {kind: str(models / kind) for kind in MODEL_KINDS}
    }
    if source.users_own:
        our_models = base.folder / "models"
        sections["manyshot"] = {kind: str(our_models / kind) for kind in MODEL_KINDS}
        sections["manyshot"]["custom_nodes"] = str(base.nodes)
    base.model_paths.write_text(yaml.safe_dump(sections), encoding="utf-8")


def _empty(base: Base) -> None:
    for name in (*TRANSIENT, "models", "custom_nodes"):
        shutil.rmtree(base.folder / name, ignore_errors=True)
