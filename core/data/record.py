"""What a labelled folder says about one image."""

from dataclasses import dataclass
from pathlib import Path

from ..class_folders import Split
from ..errors import InputError
from ..masks.coco import CocoImage
from ..masks.label_mask import MaskCode
from ..masks.partners import ALL


@dataclass(frozen=True)
class LabelledImage:
    """An image file with its class, and where its mask is; `name` is unique in its folder.

    `mask`: a file, read by `code`, or by the names in it where there is no code, or, when it is a
    trimap, as of `species`; or outlines with their classes in `coco_classes`. `annotated`: the
    classes of its objects, each once, in layouts that label objects. `group`: images of one group
    (a patient, a video) stay in one split. `split`: where the layout says it.
    """

    image: Path
    name: str
    class_name: str
    mask: Path | CocoImage | None = None
    code: MaskCode | None = None
    species: str | None = None
    coco_classes: tuple[str, ...] = ()
    annotated: tuple[str, ...] | None = None
    group: str = ""
    split: Split | None = None

    def single_class(self) -> str:
        """The class of the whole image; ALL where nothing labels it.

        Raises InputError where its objects are of several classes, or of none.
        """
        if self.class_name != ALL or self.annotated is None:
            return self.class_name
        if len(self.annotated) == 1:
            return self.annotated[0]
        if not self.annotated:
            raise InputError(
                f"The image {self.image} has no label: label an object in it, or remove it."
            )
        raise InputError(
            f"The image {self.image} shows several classes ({', '.join(self.annotated)}), but one "
            "class per image is needed. Remove it, or crop its objects into images of their own."
        )
