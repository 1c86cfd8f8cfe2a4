"""Says of every image whether it was interrupted: the WebUI's replies do not, and its state tells
only of the last task, until the next begins."""

from typing import Any

from modules import scripts, shared

from ..core.webui_facts import INTERRUPTED


class InterruptMark(scripts.Script):
    """Takes part in every task, of the page and of the API, and has no settings."""

    def title(self) -> str:
        return "Manyshot interrupts"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        if shared.state.interrupted or shared.state.skipped:
            p.extra_generation_params[INTERRUPTED] = True
