"""What GET is answered, from what is installed and what is loaded."""

from typing import Any

from .control import SHOWN
from .fields import known_fields, schema
from .installed import OPTIONS
from .job import LATENT_MODES, UPSCALERS, Answered
from .life import Life
from .samplers import SCHEDULERS, sampler_names

MODEL = "/models/Stable-diffusion"
NAMES = {False: "StableDiffusionProcessingTxt2Img", True: "StableDiffusionProcessingImg2Img"}


def answer(life: Life, path: str, flags: dict[str, Any]) -> Any:
    """The JSON at `path`. Raises Answered where there is none."""
    made = _routes(life, flags).get(path)
    if made is None:
        raise Answered(404, {"detail": "Not Found"})
    return made()


def _routes(life: Life, flags: dict[str, Any]) -> dict[str, Any]:
    version, installed = life.version, life.shelf.installed
    api = {
        "progress": life.state.progress,
        "options": life.shelf.saved,
        "cmd-flags": lambda: flags,
        "samplers": lambda: [
            {"name": name, "aliases": [_alias(name)], "options": {}}
            for name in sampler_names(version)
        ],
        "upscalers": lambda: [_upscaler(name) for name in UPSCALERS],
        "latent-upscale-modes": lambda: [{"name": name} for name in LATENT_MODES],
        "sd-models": lambda: _checkpoints(life),
        "hypernetworks": list,
        "prompt-styles": list,
        "loras": lambda: [_lora(name) for name in installed.loras],
        "embeddings": lambda: {
            "loaded": {name: _embedding(768) for name in installed.embeddings},
            "skipped": {name: _embedding(2048) for name in installed.skipped_embeddings},
        },
        "scripts": lambda: {"txt2img": _scripts(life), "img2img": _scripts(life)},
        "script-info": lambda: _script_info(life),
        "memory": lambda: {"ram": {"free": 1, "used": 1, "total": 2}, "cuda": {"error": "none"}},
    }
    if version.schedulers_route:
        api["schedulers"] = lambda: [_scheduler(*pair) for pair in SCHEDULERS.items()]
    api["sd-modules" if version.sd_modules else "sd-vae"] = lambda: [
        {"model_name": name, "filename": f"/models/VAE/{name}"} for name in installed.vaes
    ]
    routes = {f"/sdapi/v1/{name}": made for name, made in api.items()}
    if "controlnet" in installed.always_on:
        routes |= _control_routes(life)
    if version.task_ids and life.internal:
        pending = life.state.pending
        routes["/internal/pending-tasks"] = lambda: {"size": len(pending), "tasks": list(pending)}
    routes["/openapi.json"] = lambda: _openapi(life, routes)
    return routes


def _checkpoints(life: Life) -> list[dict[str, Any]]:
    shelf = life.shelf
    return [
        {
            "title": shelf.title(one),
            "model_name": one.name,
            "hash": one.shorthash if one.file in shelf.hashed else None,
            "sha256": one.sha256 if one.file in shelf.hashed else None,
            "filename": f"{MODEL}/{one.file}",
            "config": None,
        }
        for one in shelf.installed.checkpoints
    ]


def _control_routes(life: Life) -> dict[str, Any]:
    installed = life.shelf.installed
    modules = list(installed.modules)
    routes = {
        "model_list": lambda: {"model_list": list(installed.controls)},
        "module_list": lambda: {"module_list": modules, "module_detail": {}},
        "control_types": lambda: {"control_types": {"All": {"module_list": modules}}},
    }
    if not life.version.sd_modules:
        routes["version"] = lambda: {"version": 3}
        routes["settings"] = lambda: {"control_net_unit_count": installed.slots}
    return {f"/controlnet/{name}": made for name, made in routes.items()}


def _openapi(life: Life, routes: dict[str, Any]) -> dict[str, Any]:
    """The fields that the version knows are in its schemas."""
    paths: dict[str, Any] = {path: {"get": {}} for path in routes}
    options = {name: {"title": name, "default": OPTIONS.get(name)} for name in life.shelf.options}
    schemas = {"Options": {"title": "Options", "type": "object", "properties": options}}
    for from_image, name in NAMES.items():
        body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        path = f"/sdapi/v1/{'img2img' if from_image else 'txt2img'}"
        paths[path] = {"post": {"requestBody": {"content": body, "required": True}}}
        schemas[name] = {"title": name, **schema(known_fields(life.version, from_image))}
    about = {"openapi": "3.0.2", "info": {"title": "FastAPI", "version": "0.1.0"}}
    return {**about, "paths": paths, "components": {"schemas": schemas}}


def _scripts(life: Life) -> list[str]:
    return [*life.shelf.installed.scripts, *life.shelf.installed.always_on]


def _script_info(life: Life) -> list[dict[str, Any]]:
    always_on = life.shelf.installed.always_on
    args = {"controlnet": [{"enabled": False, **SHOWN}] * life.shelf.installed.slots}
    return [
        {
            "name": name,
            "is_alwayson": name in always_on,
            "is_img2img": side,
            "args": [_arg(value) for value in args.get(name, ())],
        }
        for side in (False, True)
        for name in _scripts(life)
    ]


def _arg(value: Any) -> dict[str, Any]:
    nothing = {"minimum": None, "maximum": None, "step": None, "choices": None}
    return {"label": "", "value": value, **nothing}


def _alias(name: str) -> str:
    return "k_" + name.lower().replace("++", "pp").replace(" ", "_")


def _scheduler(name: str, label: str) -> dict[str, Any]:
    rho = {"karras": 7.0, "polyexponential": 1.0}.get(name, -1.0)
    inner = name in ("uniform", "sgm_uniform", "simple", "normal", "ddim", "beta")
    told = {"aliases": None, "default_rho": rho, "need_inner_model": inner}
    return {"name": name, "label": label, **told}


def _upscaler(name: str) -> dict[str, Any]:
    return {"name": name, "model_name": None, "model_path": None, "model_url": None, "scale": 4}


def _lora(name: str) -> dict[str, Any]:
    path = f"/models/Lora/{name}.safetensors"
    return {"name": name, "alias": name, "path": path, "metadata": {}}


def _embedding(shape: int) -> dict[str, Any]:
    unknown = {"step": None, "sd_checkpoint": None, "sd_checkpoint_name": None}
    return {**unknown, "shape": shape, "vectors": 1}
