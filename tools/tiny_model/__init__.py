"""Builds and grades manyshot-tiny, the bundled model: `python tools/tiny_model`."""
