"""ComfyUI's samplers and schedulers as AUTOMATIC1111's WebUI (1.9 and later) and Forge call them.

Same name, same method, and from the same noise the same image, to 3 levels of 255
(benchmarks/same_images.py), with these differences:

- Samplers that add noise at each step (`euler_ancestral`, `dpmpp_2s_ancestral`, `lcm`, …) draw that
  otherwise, and `dpm_fast` and `dpm_adaptive` take other steps: same kind of image, not the same.
  (`dpmpp_2m_sde` draws it alike.)
- `ddim` comes close, to 20 levels of 255.
- `dpmpp_3m_sde`: the WebUI leaves the last noise level but one out, as both do for DPM2.
- `ddim` of ComfyUI is Euler's step at whatever noise levels its scheduler gives; the WebUI's DDIM
  has levels of its own, those of `ddim_uniform`. `uni_pc` likewise heeds no scheduler there.

Noise levels of the schedulers agree to float32 rounding (a relative 2e-6, for SD 1's 1,000 levels
and 1 to 50 steps) where SCHEDULERS names one. Two that share a name do not, and are refused: of 20
steps of `beta` the middle one is at 1.62 in ComfyUI and at 6.79 in the WebUI, whose `KL Optimal`
ends at 0.029, not at 0.
"""

from ....core.counted import did_you_mean
from ....core.errors import InputError

SAMPLERS = {
    "euler": "Euler",
    "euler_ancestral": "Euler a",
    "heun": "Heun",
    "heunpp2": "HeunPP2",  # this and the last four: Forge alone
    "dpm_2": "DPM2",
    "dpm_2_ancestral": "DPM2 a",
    "lms": "LMS",
    "dpm_fast": "DPM fast",
    "dpm_adaptive": "DPM adaptive",
    "dpmpp_2s_ancestral": "DPM++ 2S a",
    "dpmpp_sde": "DPM++ SDE",
    "dpmpp_sde_gpu": "DPM++ SDE",
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_sde": "DPM++ 2M SDE",
    "dpmpp_2m_sde_gpu": "DPM++ 2M SDE",
    "dpmpp_2m_sde_heun": "DPM++ 2M SDE Heun",
    "dpmpp_2m_sde_heun_gpu": "DPM++ 2M SDE Heun",
    "dpmpp_3m_sde": "DPM++ 3M SDE",
    "dpmpp_3m_sde_gpu": "DPM++ 3M SDE",
    "lcm": "LCM",
    "ddim": "DDIM",
    "uni_pc": "UniPC",
    "ddpm": "DDPM",
    "ipndm": "IPNDM",
    "ipndm_v": "IPNDM_V",
    "deis": "DEIS",
}
SCHEDULERS = {
    "normal": "Uniform",
    "karras": "Karras",
    "exponential": "Exponential",
    "sgm_uniform": "SGM Uniform",
    "simple": "Simple",  # this and the next: AUTOMATIC1111 1.10 and Forge
    "ddim_uniform": "DDIM",
}
OWN_LEVELS = {"ddim": "ddim_uniform", "uni_pc": "normal"}
"""Samplers that heed no scheduler in the WebUI, and the scheduler of ComfyUI that does the same."""

_NEAREST_SAMPLER = {
    "euler_cfg_pp": "euler",
    "euler_ancestral_cfg_pp": "euler_ancestral",
    "dpmpp_2s_ancestral_cfg_pp": "dpmpp_2s_ancestral",
    "dpmpp_2m_cfg_pp": "dpmpp_2m",
    "res_multistep": "dpmpp_2m",
    "res_multistep_cfg_pp": "dpmpp_2m",
    "res_multistep_ancestral": "euler_ancestral",
    "res_multistep_ancestral_cfg_pp": "euler_ancestral",
    "gradient_estimation": "euler",
    "gradient_estimation_cfg_pp": "euler",
    "er_sde": "dpmpp_2m_sde",
    "seeds_2": "dpmpp_sde",
    "seeds_3": "dpmpp_3m_sde",
    "sa_solver": "dpmpp_2m_sde",
    "sa_solver_pece": "dpmpp_2m_sde",
    "uni_pc_bh2": "uni_pc",
}
_NEAREST_SCHEDULER = {"beta": "simple", "kl_optimal": "karras", "linear_quadratic": "simple"}


def webui_sampler(name: str) -> str:
    """The WebUI's name. Raises InputError, with the nearest that it has, for one it lacks."""
    return _counterpart("sampler", name, SAMPLERS, _NEAREST_SAMPLER)


def webui_scheduler(name: str, sampler: str = "") -> str:
    """The WebUI's name of a scheduler for a sampler of ComfyUI.

    Raises InputError, with the nearest that it has, for one whose noise levels it cannot give.
    """
    fixed = OWN_LEVELS.get(sampler)
    if fixed is None:
        return _counterpart("scheduler", name, SCHEDULERS, _NEAREST_SCHEDULER)
    if name != fixed:
        raise InputError(
            f"A WebUI ignores the scheduler for {sampler!r}, so {name!r} would be lost. The "
            f"nearest are the scheduler {fixed!r}, or the sampler 'euler'."
        )
    return "Automatic"


def _counterpart(what: str, name: str, table: dict[str, str], near: dict[str, str]) -> str:
    if name in table:
        return table[name]
    nearest = f" The nearest is {near[name]!r}." if name in near else did_you_mean(name, table)
    raise InputError(f"A WebUI has no counterpart for the {what} {name!r}.{nearest}")
