"""`python tools/tiny_model COMMAND`, from a checkout whose manyshot is installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where tiny_model is a package

from tiny_model.program import main  # noqa: E402

main()
