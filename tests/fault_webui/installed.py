"""What a WebUI has: its models and its settings."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file. One that was never loaded has no hash yet, so its title is its name."""

    file: str
    hashed: bool = True

    @property
    def name(self) -> str:
        return self.file.rsplit(".", 1)[0]

    @property
    def sha256(self) -> str:
        return sha256(self.file.encode()).hexdigest()

    @property
    def shorthash(self) -> str:
        return self.sha256[:10]


@dataclass(frozen=True)
class Installed:
    """The files of one WebUI. The first checkpoint is loaded when it starts."""

    checkpoints: tuple[Checkpoint, ...] = (Checkpoint("tiny.safetensors"),)
    vaes: tuple[str, ...] = ("tiny.vae.safetensors",)
    loras: tuple[str, ...] = ("flower",)
    embeddings: tuple[str, ...] = ("mysubject",)
    skipped_embeddings: tuple[str, ...] = ("for-sdxl",)
    scripts: tuple[str, ...] = ("prompt matrix", "x/y/z plot")
    always_on: tuple[str, ...] = ("refiner", "seed", "sampler", "controlnet")
    controls: tuple[str, ...] = ("tiny_seg [0123abcd]",)
    modules: tuple[str, ...] = ("none", "canny", "seg_ofade20k")
    slots: int = 3
    """ControlNet units that a request may have."""
    unsaved: tuple[str, ...] = ()
    """Settings that its config.json lacks, and so /options: a request that overrides one changes
    it for ever."""


OPTIONS: dict[str, Any] = {
    "samples_save": True,
    "samples_format": "png",
    "grid_save": True,
    "return_grid": True,
    "grid_only_if_multiple": True,
    "enable_pnginfo": True,
    "jpeg_quality": 80,
    "sd_model_checkpoint": None,
    "sd_checkpoint_hash": None,
    "sd_vae": "Automatic",
    "sd_vae_decode_method": "Full",
    "sd_vae_encode_method": "Full",
    "CLIP_stop_at_last_layers": 1,
    "eta_noise_seed_delta": 31337,
    "eta_ancestral": 1.0,
    "randn_source": "GPU",
    "sgm_noise_multiplier": False,
    "img2img_fix_steps": False,
    "emphasis": "Original",
    "inpainting_mask_weight": 1.0,
    "initial_noise_multiplier": 1.0,
    "img2img_color_correction": False,
    "return_mask": False,
    "return_mask_composite": False,
    "textual_inversion_add_hashes_to_infotext": True,
    "img2img_background_color": "#ffffff",
    "upcast_attn": False,
    "sd_hypernetwork": "None",
    "sd_lora": "None",
    "lora_add_hashes_to_infotext": True,
    "add_model_hash_to_info": True,
    "add_model_name_to_info": True,
    "add_version_to_infotext": True,
    "eta_ddim": 0.0,
    "s_churn": 0.0,
    "s_noise": 1.0,
    "s_min_uncond": 0.0,
    "token_merging_ratio": 0.0,
    "token_merging_ratio_img2img": 0.0,
    "token_merging_ratio_hr": 0.0,
    "always_discard_next_to_last_sigma": False,
    "use_old_emphasis_implementation": False,
    "use_old_karras_scheduler_sigmas": False,
    "persistent_cond_cache": True,
    "face_restoration": False,
    "face_restoration_model": "CodeFormer",
    "tiling": False,
    "live_previews_enable": True,
    "show_progress_every_n_steps": 10,
    "control_net_no_detectmap": False,
    "control_net_unit_count": 3,
}


@dataclass
class Shelf:
    """What a running WebUI has loaded and set."""

    installed: Installed
    options: dict[str, Any] = field(default_factory=lambda: dict(OPTIONS))
    hashed: set[str] = field(default_factory=set)
    loaded: Checkpoint | None = None
    vae: str | None = None

    def __post_init__(self) -> None:
        self.hashed |= {one.file for one in self.installed.checkpoints if one.hashed}
        self.load(self.installed.checkpoints[0])
        self.options["sd_model_checkpoint"] = self.title(self.installed.checkpoints[0])

    def saved(self) -> dict[str, Any]:
        """The settings that /options shows."""
        hidden = self.installed.unsaved
        return {name: value for name, value in self.options.items() if name not in hidden}

    def title(self, one: Checkpoint) -> str:
        return f"{one.file} [{one.shorthash}]" if one.file in self.hashed else one.file

    def find(self, name: object) -> Checkpoint | None:
        """The checkpoint that has this among its names."""
        return next((one for one in self.installed.checkpoints if name in self._names(one)), None)

    def closest(self, name: str) -> Checkpoint | None:
        """As for a refiner or hires fix: a part of the title will do."""
        parts = [one for one in self.installed.checkpoints if name in self.title(one)]
        return self.find(name) or min(parts, key=lambda one: len(self.title(one)), default=None)

    def load(self, one: Checkpoint) -> bool:
        """Load it and its hash; whether it was another that was loaded."""
        changed = self.loaded != one
        self.loaded = one
        self.hashed.add(one.file)
        self.options["sd_checkpoint_hash"] = one.sha256
        return changed

    def set_vae(self) -> None:
        """Use what the option names: with an unknown one the checkpoint's own, without a word."""
        wanted = self.options["sd_vae"]
        self.vae = wanted if wanted in self.installed.vaes else None

    def _names(self, one: Checkpoint) -> set[str]:
        names = {one.file, one.name, self.title(one)}
        if one.file in self.hashed:
            names |= {one.shorthash, one.sha256, f"{one.name} [{one.shorthash}]"}
        return names
