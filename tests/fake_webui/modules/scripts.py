import re


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
