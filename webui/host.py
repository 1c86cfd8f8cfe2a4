"""The WebUI as its versions have it: AUTOMATIC1111 1.6 to 1.10 and Forge differ here alone."""

import copy
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modules import processing, sd_models, shared

from ..core.counted import did_you_mean
from ..core.errors import InputError

OWN_SCRIPTS = "processing_scripts"  # the WebUI's own: what they do is in the processing's fields
APPLIED = "network_current_names"  # of a layer of the model: what its weights hold
SHARING = ("hide_ui_dir_config", "share", "listen", "ngrok", "server_name")  # --share and so on
EMBEDDINGS = (".safetensors", ".pt", ".bin")


@dataclass(frozen=True)
class Checkpoint:
    """`name`: as a Processed reports it; `digest`: the sha256, or the old short hash without."""

    name: str
    digest: str


def checkpoint(p: Any) -> Checkpoint:
    """The one that `p` is to be drawn with.

    Raises InputError for an unknown one, for which the WebUI would silently take the loaded one.
    """
    name = p.override_settings.get("sd_model_checkpoint") or shared.opts.sd_model_checkpoint
    info = sd_models.checkpoint_aliases.get(name)
    if info is None:
        names = {alias.name_for_extra for alias in sd_models.checkpoint_aliases.values()}
        near = did_you_mean(str(name), names)
        raise InputError(f"The WebUI has no checkpoint {name!r}.{near}")
    info.calculate_shorthash()
    return Checkpoint(info.name_for_extra, str(info.sha256 or info.hash))


def network_file(name: str) -> Path:
    """The file of `<lora:name:1>`.

    Raises InputError for an unknown one, without which the WebUI would silently draw.
    """
    networks = sys.modules.get("networks")  # of the WebUI's extension Lora
    if not hasattr(networks, "available_network_aliases"):
        raise InputError(f"The prompt has <lora:{name}>, but the WebUI's Lora extension is off.")
    networks_by_name = _networks(networks)
    if name not in networks_by_name:
        networks.list_available_networks()  # pyright: ignore
        networks_by_name = _networks(networks)
    if name not in networks_by_name:
        raise InputError(f"The WebUI has no LoRA {name!r}.{did_you_mean(name, networks_by_name)}")
    return Path(networks_by_name[name].filename)


def find_unused_lora(names: Collection[str]) -> str | None:
    """The first of the LoRAs that the latest image was drawn without, though its file is there.

    The WebUI goes on when such a file cannot be loaded, or when it is for another kind of model.
    """
    networks = sys.modules.get("networks")
    loaded = getattr(networks, "loaded_networks", None)
    if loaded is None:
        return None
    used = [network for network in loaded if _has_weights(network)]
    there = {getattr(network, key, None) for network in used for key in ("name", "mentioned_name")}
    return next((name for name in names if name not in there), None)


def apply_networks_anew() -> None:
    """Make AUTOMATIC1111 apply the LoRAs again for the next image.

    It tells of those that do not fit once, and draws on with what it has of them.
    """
    layers = getattr(shared.sd_model, "network_layer_mapping", {})
    for layer in layers.values():
        if getattr(layer, APPLIED, ()):
            setattr(layer, APPLIED, (None,))


def embedding_file(token: str) -> Path:
    """The file of an embedding. Raises InputError for an unknown one, which would be mere words."""
    folder = Path(shared.cmd_opts.embeddings_dir)
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in EMBEDDINGS)
    by_token = {path.stem: path for path in paths}
    if token not in by_token:
        near = did_you_mean(token, by_token)
        raise InputError(f"The WebUI has no embedding {token!r} in {folder}.{near}")
    return by_token[token]


def copy_processing(p: Any) -> Any:
    """A processing of its own for a job, as the WebUI's scripts make it, with own tables."""
    other = copy.copy(p)
    other.override_settings = dict(p.override_settings)
    other.extra_generation_params = dict(p.extra_generation_params)
    other.comments = {}
    other.styles = list(p.styles or [])
    return other


def draw(p: Any) -> Any:
    return processing.process_images(p)


def errors() -> list[Any]:
    """What the WebUI has caught and only logged, the latest last; it keeps five."""
    return list(getattr(sys.modules.get("modules.errors"), "exception_records", []))


def script_error(before: Sequence[Any]) -> str | None:
    """The first error since `before` (errors()) that an extension's script ended with.

    The WebUI draws on without the script: a ControlNet without its model leaves the image to the
    prompt, and the infotext says that it took part.
    """
    new = [error for error in errors() if not any(error is old for old in before)]
    return next((str(error["exception"]) for error in new if _is_of_script(error)), None)


def is_stopped() -> bool:
    """Whether Interrupt was pressed, also the one that lets the image in work end (from 1.8)."""
    return shared.state.interrupted or getattr(shared.state, "stopping_generation", False)


def other_scripts(p: Any) -> Iterator[tuple[str, list[Any]]]:
    """(title, arguments) of each extension's script that takes part in every image and can be
    set: others come and go with extensions that have nothing to do with pixels."""
    args = list(p.script_args or [])
    for script in getattr(p.scripts, "alwayson_scripts", []):
        if OWN_SCRIPTS not in str(script.filename) and script.args_from is not None:
            script_args = args[script.args_from : script.args_to]
            if script_args:
                yield str(script.title()), script_args


def give_control(p: Any, unit: dict[str, Any]) -> None:
    """Put a ControlNet unit into the first place. Raises InputError without a ControlNet."""
    script = _control_script(p)
    if script is None:
        raise InputError(
            "A folder of masks is set, but there is no ControlNet. Install "
            "sd-webui-controlnet (Forge has its own), or leave 'masks' empty."
        )
    args = list(p.script_args)
    args[script.args_from] = unit
    p.script_args = type(p.script_args)(args)


def check_control_model(name: str) -> None:
    """Raises InputError for a model that ControlNet does not have; it would draw without one."""
    models = _control_models()
    if name and (models is None or name in models):
        return
    near = did_you_mean(name, models or [])
    raise InputError(f"ControlNet has no model {name!r} ('control_model').{near}")


def is_forge() -> bool:
    return any(name.split(".")[0] == "lib_controlnet" for name in sys.modules)


def is_shared() -> bool:
    """Whether others than the owner of the machine may use the pages, or are kept from folders."""
    return any(getattr(shared.cmd_opts, option, None) for option in SHARING)


def version() -> str:
    try:
        return str(processing.program_version())
    except Exception:  # asks git, in ways that differ
        return "unknown"


def _control_script(p: Any) -> Any:
    scripts = getattr(p.scripts, "alwayson_scripts", [])
    control_scripts = (s for s in scripts if str(s.title()).lower() == "controlnet")
    return next((s for s in control_scripts if s.args_to > s.args_from), None)


def _control_models() -> list[str] | None:
    """By the names of their panels; None where neither extension says them."""
    forge = sys.modules.get("lib_controlnet.global_state")
    if forge is not None:
        names = list(forge.get_all_controlnet_names())
    else:
        names = list(getattr(sys.modules.get("scripts.global_state"), "cn_models", {}))
    return [name for name in names if name != "None"] if names else None  # both list "None" too


def _is_of_script(record: Mapping[str, Any]) -> bool:
    """Whether the WebUI's runner of scripts caught it: the traceback begins where it was caught."""
    frames = record["traceback"]
    return bool(frames) and f"modules{os.sep}scripts.py, line" in frames[0][0]


def _has_weights(network: Any) -> bool:
    """Whether something of a LoRA fitted the checkpoint; Forge's two keep that elsewhere."""
    modules = network.modules or getattr(network, "bundle_embeddings", None)
    return "modules_forge" in sys.modules or bool(modules)


def _networks(networks: Any) -> dict[str, Any]:
    return {**networks.available_network_aliases, **networks.available_networks}
