"""The scripts as the WebUI's pages txt2img and img2img, and its API, see them."""

from typing import Any

from modules import scripts, shared
from modules.processing import Processed

from ..core.errors import ManyshotError
from ..core.webui_facts import INTERRUPTED
from .panel import infotext_fields, panel, paste_field_names
from .script_run import make_dataset
from .script_settings import from_args

TITLE = "Manyshot"
REPORT = "Manyshot report"  # in `extra_generation_params` of the API's `info`


class ManyshotScript(scripts.Script):
    """`script_name` "Manyshot", `script_args` as settings.NAMES, all of them."""

    def title(self) -> str:
        return TITLE

    def ui(self, is_img2img: bool) -> list[Any]:
        controls = panel(self.elem_id)
        self.infotext_fields = infotext_fields(controls)
        self.paste_field_names = paste_field_names()
        return controls

    def run(self, p: Any, *args: Any) -> Processed:
        try:
            settings = from_args(args)
            p.extra_generation_params["Script"] = self.title()
            report = make_dataset(p, settings)
        except ManyshotError as error:
            return self._refuse(p, str(error))
        for problem in report.problems:
            p.comment(problem)
        sentence = report.sentence(settings.output)
        # the API answers without the comments
        p.extra_generation_params[REPORT] = " ".join((sentence, *report.problems))
        texts = report.infotexts or [sentence]
        return Processed(p, report.images, p.seed, sentence, infotexts=texts)

    def _refuse(self, p: Any, sentence: str) -> Processed:
        """A sentence on the page, HTTP 422 for the API: never a traceback."""
        if getattr(p, "is_api", False):
            from fastapi import HTTPException  # only the API's own process has it for sure

            raise HTTPException(422, sentence)
        return Processed(p, [], p.seed, sentence)


class InterruptMark(scripts.Script):
    """Takes part in every task, of the page and of the API, and has no settings."""

    def title(self) -> str:
        return "Manyshot interrupts"

    def show(self, is_img2img: bool) -> Any:
        return scripts.AlwaysVisible

    def postprocess_batch(self, p: Any, *args: Any, **kwargs: Any) -> None:
        if shared.state.interrupted or shared.state.skipped:
            p.extra_generation_params[INTERRUPTED] = True
