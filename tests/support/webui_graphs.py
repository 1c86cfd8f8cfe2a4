"""Graphs of ComfyUI made from settings of a WebUI, for reading them back."""

from typing import Any

from manyshot.driver.targets.webui.from_graph import read_settings
from manyshot.driver.targets.webui.samplers import SAMPLERS, SCHEDULERS
from manyshot.driver.workflow.graph import Graph, Slot

COMFY_SAMPLERS = {name: ours for ours, name in reversed(SAMPLERS.items())}
COMFY_SCHEDULERS = {name: ours for ours, name in SCHEDULERS.items()}
FIELDS = {
    Slot("positive", "text"): "prompt",
    Slot("negative", "text"): "negative",
    Slot("sampler", "seed"): "seed",
    Slot("second", "seed"): "seed",
}


class Made:
    """A graph of settings; `fields` and `addresses` say what its slots take."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.graph: Graph = {}
        self.fields = dict(FIELDS)
        self.addresses: dict[Slot, str] = {}
        self._settings = settings
        model, clip = self._models()
        sides = [
            self.add(s, "CLIPTextEncode", text="", clip=clip) for s in ("positive", "negative")
        ]
        for number, unit in enumerate(settings["controlnet"]):
            sides = self._control(number, unit, sides)
        sampler = self._sampler("sampler", model, sides, self._start())
        if settings.get("hires"):
            sampler = self._second(model, sides, sampler)
        vae = settings["vae"]
        loader = ["checkpoint", 2] if vae == "None" else self.add("vae", "VAELoader", vae_name=vae)
        images = self.add("decode", "VAEDecode", samples=sampler, vae=loader)
        self.add("save", "SaveImage", images=images, filename_prefix="x")

    def add(self, node_id: str, class_type: str, **inputs: Any) -> list[Any]:
        """A link to the first output of a new node. Inputs `$field` and `@address` are slots."""
        self.graph[node_id] = {"class_type": class_type, "inputs": inputs}
        for name, value in inputs.items():
            if isinstance(value, str) and value[:1] in ("$", "@"):
                known = self.fields if value[0] == "$" else self.addresses
                known[Slot(node_id, name)] = value[1:]
                inputs[name] = None
        return [node_id, 0]

    def _models(self) -> tuple[list[Any], list[Any]]:
        settings = self._settings
        self.add("checkpoint", "CheckpointLoaderSimple", ckpt_name=settings["checkpoint"])
        model, clip = ["checkpoint", 0], ["checkpoint", 1]
        for number, lora in enumerate(settings["loras"]):
            both = {"strength_model": lora["weight"], "strength_clip": lora["weight"]}
            named = {"lora_name": _file(lora["name"], "styles/")}
            model = self.add(f"l{number}", "LoraLoader", model=model, clip=clip, **both, **named)
            clip = [f"l{number}", 1]
        last = {"stop_at_clip_layer": -settings["clip_skip"]}
        return model, self.add("last", "CLIPSetLastLayer", clip=clip, **last)

    def _control(self, number: int, unit: dict[str, Any], sides: list[Any]) -> list[Any]:
        at = f"c{number}"
        net = self.add(f"{at}n", "ControlNetLoader", control_net_name=_file(unit["model"]))
        image = self.add(f"{at}i", "LoadImage", image=unit["image"])
        self.add(
            at,
            "ControlNetApplyAdvanced",
            positive=sides[0],
            negative=sides[1],
            control_net=net,
            image=image,
            strength=unit["weight"],
            start_percent=unit["guidance_start"],
            end_percent=unit["guidance_end"],
        )
        return [[at, 0], [at, 1]]

    def _start(self) -> list[Any]:
        settings = self._settings
        if "init_image" not in settings:
            sides = {name: settings[name] for name in ("width", "height")}
            return self.add("latent", "EmptyLatentImage", batch_size=1, **sides)
        photo = self.add("photo", "LoadImage", image=settings["init_image"])
        latent = self.add("encode", "VAEEncode", pixels=photo, vae=["checkpoint", 2])
        if "mask" not in settings:
            return latent
        mask = self.add("mask", "LoadImageMask", image=settings["mask"], channel="red")
        return self.add("masked", "SetLatentNoiseMask", samples=latent, mask=mask)

    def _second(self, model: list[Any], sides: list[Any], first: list[Any]) -> list[Any]:
        hires = self._settings["hires"]
        scaled = {"scale_by": hires["scale"], "upscale_method": "bicubic"}
        larger = self.add("larger", "LatentUpscaleBy", samples=first, **scaled)
        own = {"steps": hires["steps"], "denoise": hires["denoising_strength"]}
        return self._sampler("second", model, sides, larger, **own)

    def _sampler(
        self, node_id: str, model: list[Any], sides: list[Any], latent: list[Any], **own: Any
    ) -> list[Any]:
        settings = self._settings
        said = {
            "steps": settings["steps"],
            "cfg": settings["cfg_scale"],
            "denoise": settings.get("denoising_strength", 1.0),
            "sampler_name": COMFY_SAMPLERS[settings["sampler"]],
            "scheduler": COMFY_SCHEDULERS[settings["scheduler"]],
            **own,
        }
        linked = {"model": model, "positive": sides[0], "negative": sides[1]}
        return self.add(node_id, "KSampler", seed=0, latent_image=latent, **linked, **said)


def _file(name: str, folder: str = "") -> str:
    return name if name[:1] in ("$", "@") else f"{folder}{name}.safetensors"


ALWAYS: dict[str, Any] = {
    "language": "comfyui",
    "options": {"sgm_noise_multiplier": True},
}
TINY = {
    **ALWAYS,
    "checkpoint": "manyshot-tiny.safetensors",
    "vae": "None",
    "clip_skip": 1,
    "loras": [],
    "sampler": "Euler",
    "scheduler": "Uniform",
    "steps": 20,
    "cfg_scale": 10,
    "width": 128,
    "height": 128,
    "controlnet": [],
}
UNIT = {
    "model": "net",
    "image": "$control",
    "weight": 1.0,
    "guidance_start": 0.0,
    "guidance_end": 1.0,
}
HIRES_FIX = {"upscaler": "", "scale": 2.0, "steps": 5, "denoising_strength": 0.5}
LORA = {"name": "style", "weight": 1.0}


def simple(**changes: Any) -> Made:
    """Text to image, or what `changes` make of it."""
    return Made({**TINY, **changes})


def photo(**changes: Any) -> Made:
    """Image to image of the job's photo."""
    return simple(init_image="$image", denoising_strength=0.5, **changes)


def read(made: Made, **options: Any) -> dict[str, Any]:
    return read_settings(made.graph, "save", made.fields, made.addresses, "graph.json", **options)


def change(made: Made, node_id: str, **inputs: Any) -> Made:
    made.graph[node_id]["inputs"] |= inputs
    return made


def between(made: Made, node_id: str, name: str, class_type: str, socket: str = "in") -> Made:
    """Another node before an input."""
    link = made.graph[node_id]["inputs"][name]
    return change(made, node_id, **{name: made.add("other", class_type, **{socket: link})})


def unbound(made: Made, node_id: str, name: str, value: Any = "") -> Made:
    del made.fields[Slot(node_id, name)]
    return change(made, node_id, **{name: value})
