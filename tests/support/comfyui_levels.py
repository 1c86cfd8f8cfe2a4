"""ComfyUI's samplers and the noise levels of its schedulers for Stable Diffusion 1: run in a
process of its own, as `python comfyui_levels.py COMFYUI STEPS…`, because importing comfy reads the
command line. The last line of standard output is JSON."""

import json
import sys

comfyui, steps = sys.argv[1], [int(text) for text in sys.argv[2:]]
sys.argv[1:] = ["--cpu"]
sys.path.insert(0, comfyui)

from comfy import options  # noqa: E402  # pyright: ignore

options.enable_args_parsing()

from comfy import model_sampling, samplers  # noqa: E402  # pyright: ignore

sampling = model_sampling.ModelSamplingDiscrete()
levels = {
    name: {n: samplers.calculate_sigmas(sampling, name, n).tolist() for n in steps}
    for name in samplers.SCHEDULER_NAMES
}
base = sampling.sigmas.tolist()
print(json.dumps({"samplers": samplers.SAMPLER_NAMES, "base": base, "levels": levels}))  # noqa: T201
