"""A stand-in for the HTTP API of an AUTOMATIC1111 WebUI that breaks as a test tells it.

with FaultWebui() as webui:
    webui.breaks(Fault("short", times=3))      # three replies lack their last image
    webui.breaks(Fault("slow", amount=0.05))   # so long takes a step of the next job
    ...                                        # let a client work on webui.url
    assert webui.diary.drawn_twice() == []

It answers as version 1.10.1 does, or as `version` says, and keeps silent where the real one does:
an unknown field, a missing LoRA, an unknown checkpoint draw something, with HTTP 200.
"""

from .faults import Fault
from .installed import Checkpoint, Installed
from .server import FaultWebui

__all__ = ["Checkpoint", "Fault", "FaultWebui", "Installed"]
