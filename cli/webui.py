"""`manyshot webui`: AUTOMATIC1111's WebUI and Forge."""

from pathlib import Path
from typing import Annotated

import typer

from ..core.extras import Extra
from .needs import needs
from .tokenizer import Tokenizer, tokenizer_folder

OPTIONS = "{sd_vae_decode_method: TAESD, sd_vae_encode_method: TAESD}"
NEXT = """\
Restart the WebUI, choose TAESD under Settings, VAE for both 'VAE type for encode' and 'VAE \
type for decode', and draw {side} x {side} pixels. In a recipe:
  webui: {{checkpoint: {name}, width: {side}, height: {side}, options: {options}}}
The files in {taesd} are for {name}'s latents, which are not SD1's: while they are there, \
other models' pictures and previews by TAESD are wrong. Delete them afterwards; the WebUI fetches \
its own anew."""


app = typer.Typer(no_args_is_help=True, help="AUTOMATIC1111's WebUI and Forge.")


@app.command()
@needs("webui add-tiny-model", Extra.TRAINER)
def add_tiny_model(
    folder: Annotated[Path, typer.Argument(help="The folder of the WebUI.", show_default=False)],
    tokenizer: Tokenizer = None,
) -> None:
    """Add manyshot-tiny to AUTOMATIC1111's WebUI, to try it without a download."""
    from ..core.tiny_files import TINY_MODEL
    from ..core.tiny_sizes import IMAGE_SIZE, TINY
    from ..trainer.stable_diffusion.export_webui import TAESD, export_webui, webui_folder
    from .console import PlainConsole

    folder = webui_folder(folder)
    written = export_webui(folder, TINY_MODEL, tokenizer_folder(tokenizer), TINY)
    console = PlainConsole(soft_wrap=True)
    for line in [f"Wrote {path}" for path in written] or ["Everything is already there."]:
        console.print(line)
    name = TINY_MODEL.stem
    console.print(NEXT.format(name=name, side=IMAGE_SIZE, options=OPTIONS, taesd=TAESD))


former = typer.Typer(
    no_args_is_help=True,
    help="Now in a checkout alone, as `python tools/tiny_model`: what trains manyshot-tiny.",
)
former.command("webui")(add_tiny_model)  # the first name of `webui add-tiny-model`


@former.callback()
def keep_as_group() -> None:
    """`base` stays a group, though one command is left in it."""
