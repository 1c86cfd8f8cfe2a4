import re

from . import errors

AlwaysVisible = object()


class Script:
    filename = None
    args_from = None
    args_to = None
    infotext_fields = None
    paste_field_names = None
    is_img2img = False

    def title(self):
        raise NotImplementedError

    def show(self, is_img2img):
        return True

    def elem_id(self, item_id):
        title = re.sub(r"[^a-z_0-9]", "", re.sub(r"\s", "_", self.title().lower()))
        return f"script_{'img2img' if self.is_img2img else 'txt2img'}_{title}_{item_id}"


def process(p):
    """The scripts that take part in every image; one that fails is left out of it."""
    for script in getattr(p.scripts, "alwayson_scripts", []):
        try:
            script.process(p, *p.script_args[script.args_from : script.args_to])
        except Exception:
            errors.report(f"Error running process: {script.filename}")
