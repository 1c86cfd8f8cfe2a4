"""The embedded server: a real ComfyUI, installed into the cache and never left behind."""

from .embedded_server import EmbeddedServer
from .server_settings import Progress, ServerSettings
from .source import ensure_installed

__all__ = ["EmbeddedServer", "Progress", "ServerSettings", "ensure_installed"]
