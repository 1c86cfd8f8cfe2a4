"""The embedded server: a real ComfyUI, installed into the cache and never left behind."""

from .server import EmbeddedServer
from .settings import Progress, ServerSettings
from .source import ensure_installed

__all__ = ["EmbeddedServer", "Progress", "ServerSettings", "ensure_installed"]
