"""AUTOMATIC1111's WebUI and Forge: jobs become requests of their API, read from the workflow."""

from ..base import Kind
from .webui_settings import WebUISettings

KIND = Kind(
    name="webui",
    title="WebUI",
    plural="WebUIs",
    module=f"{__name__}.webui_target",
    prefix="webui+",
    forms=("webui+http://host:port",),
    example="webui+http://127.0.0.1:7860",
    settings=WebUISettings,
    description="How WebUIs draw the jobs. Anything not set here is read from the workflow.",
)
