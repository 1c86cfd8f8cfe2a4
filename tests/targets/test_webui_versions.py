"""What differs between AUTOMATIC1111 1.6 to 1.10, Forge and reForge, and between their settings."""

from pathlib import Path
from typing import Any

import pytest
from manyshot.core.errors import InputError

from ..fault_webui import Checkpoint, FaultWebui, Installed
from ..fault_webui.versions import VERSIONS
from ..support.fault_runs import drive
from ..support.webui_runs import BOTH, cats, control_unit, files

pytestmark = pytest.mark.usefixtures("hasty")
ALL = pytest.mark.parametrize("version", VERSIONS)


def drawn(tmp_path: Path, webui: FaultWebui, **settings: Any) -> list[dict[str, Any]]:
    """The requests of a run of two images that must be whole."""
    recipe = cats(tmp_path, [webui], 2, settings=settings)
    summary = drive(recipe)
    assert (summary.exit_code, summary.failures, dict(summary.progress.tries)) == (0, [], {})
    assert len(files(recipe)) == 2
    return [asked.body for asked in webui.diary.requests("2img")]


@ALL
@pytest.mark.parametrize(
    ("sampler", "scheduler", "old"),
    [
        ("Euler", "Automatic", "Euler"),
        ("DPM++ 2M", "Karras", "DPM++ 2M Karras"),
        ("DPM++ 2M", "Automatic", "DPM++ 2M Karras"),
        ("DDIM", "Automatic", "DDIM"),
    ],
)
def test_samplers(tmp_path: Path, version: str, sampler: str, scheduler: str, old: str) -> None:
    with FaultWebui(version, BOTH) as webui:
        body = drawn(tmp_path, webui, sampler=sampler, scheduler=scheduler)[0]
    if VERSIONS[version].scheduler_field:
        assert (body["sampler_name"], body["scheduler"]) == (sampler, scheduler)
    else:
        assert (body["sampler_name"], body.get("scheduler")) == (old, None)


@pytest.mark.parametrize("version", ["1.6.0", "1.8.0"])
def test_a_schedule_that_old_versions_lack(tmp_path: Path, version: str) -> None:
    with FaultWebui(version, BOTH) as webui:
        recipe = cats(tmp_path, [webui], settings={"sampler": "Euler", "scheduler": "SGM Uniform"})
        with pytest.raises(InputError, match="no sampler 'Euler SGM Uniform'"):
            drive(recipe)
        assert webui.diary.begun == []


@ALL
def test_vaes(tmp_path: Path, version: str) -> None:
    """Forge calls them modules."""
    with FaultWebui(version, BOTH) as webui:
        drawn(tmp_path, webui, vae="tiny.vae.safetensors")
        options = webui.life.shelf.options
    if VERSIONS[version].sd_modules:
        assert options["forge_additional_modules"] == ["/models/VAE/tiny.vae.safetensors"]
    else:
        assert options["sd_vae"] == "tiny.vae.safetensors"


@ALL
def test_everything_at_once(tmp_path: Path, version: str) -> None:
    """LoRA, embedding, hires fix, two ControlNet units with pictures of their own."""
    blue = tmp_path / "blue.png"
    red = Path(control_unit()["image"]["file"])
    blue.write_bytes(red.read_bytes())
    from PIL import Image

    Image.new("RGB", (64, 64), "blue").save(blue)
    units = [control_unit(), control_unit(image={"file": str(blue)})]
    with FaultWebui(version, BOTH) as webui:
        recipe = cats(
            tmp_path,
            [webui],
            2,
            {"loras": [{"name": "flower"}], "hires": {"scale": 2.0}, "controlnet": units},
            prompts={"templates": ["a {class_name} like embedding:mysubject"]},
        )
        summary = drive(recipe)
        assert (summary.exit_code, summary.failures) == (0, [])
        assert {one.size for one in webui.diary.images()} == {(128, 128)}


@ALL
def test_img2img(tmp_path: Path, version: str) -> None:
    with FaultWebui(version, BOTH) as webui:
        photo = control_unit()["image"]
        bodies = drawn(tmp_path, webui, init_image=photo, mask=photo, only_masked=True)
    assert all(body["init_images"] and body["mask"] for body in bodies)


@pytest.mark.parametrize("version", ["1.6.0", "1.8.0", "1.9.0", "1.10.1", "forge"])
def test_an_unknown_schedule_is_refused(tmp_path: Path, version: str) -> None:
    """1.9 has no list of them, draws with another and names the wrong one in the image's text."""
    with FaultWebui(version, BOTH) as webui:
        with pytest.raises(InputError, match="Karas"):
            drive(cats(tmp_path, [webui], settings={"scheduler": "Karas"}))
        assert webui.diary.begun == []


def test_a_short_config_json(tmp_path: Path) -> None:
    """Settings that are in no file are there all the same, and each request names its own."""
    short = Installed(BOTH.checkpoints, unsaved=("CLIP_stop_at_last_layers", "sd_vae"))
    with FaultWebui(installed=short) as webui:
        webui.life.shelf.options["CLIP_stop_at_last_layers"] = 7  # left there by somebody
        for body in drawn(tmp_path, webui):
            assert body["override_settings"]["CLIP_stop_at_last_layers"] == 1
        assert webui.life.shelf.options["CLIP_stop_at_last_layers"] == 1


def test_settings_that_1_6_0_does_not_take(tmp_path: Path) -> None:
    """Those that its file lacks, as after an upgrade, stand at their defaults: not sent."""
    upgraded = Installed(BOTH.checkpoints, unsaved=("sgm_noise_multiplier",))
    with FaultWebui("1.6.0", upgraded) as webui:
        drawn(tmp_path, webui)


def test_a_checkpoint_that_was_never_loaded_has_no_hash(tmp_path: Path) -> None:
    """Its title changes when it is."""
    fresh = Installed((Checkpoint("tiny.safetensors"), Checkpoint("new.ckpt", hashed=False)))
    with FaultWebui(installed=fresh) as webui:
        drawn(tmp_path, webui, checkpoint="new.ckpt")
        drawn(tmp_path / "again", webui, checkpoint="new")
        assert webui.diary.loads == ["new"]


@pytest.mark.parametrize("name", ["tiny", "tiny.safetensors", "{title}", "{hash}", "sub/tiny"])
def test_names_of_a_checkpoint(tmp_path: Path, name: str) -> None:
    one = BOTH.checkpoints[0]
    name = name.format(title=f"{one.file} [{one.shorthash}]", hash=one.shorthash)
    with FaultWebui(installed=BOTH) as webui:
        drawn(tmp_path, webui, checkpoint=name)
        assert {image.model for image in webui.diary.images()} == {"tiny"}


def test_checkpoints_are_loaded_once_each(tmp_path: Path) -> None:
    """Jobs are ordered by checkpoint, and it stays loaded."""
    with FaultWebui(installed=BOTH) as webui:
        recipe = cats(tmp_path, [webui], 6, sweep={"webui.checkpoint": ["tiny", "other"]})
        assert drive(recipe).exit_code == 0
        assert len(webui.diary.images()) == 12
        assert webui.diary.loads in (["other"], ["other", "tiny"])
        asked = webui.diary.requests("txt2img")
    assert not any(one.body["override_settings_restore_afterwards"] for one in asked)
