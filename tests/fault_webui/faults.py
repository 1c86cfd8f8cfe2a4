"""What can go wrong, as a plain value."""

from dataclasses import dataclass
from typing import Literal

What = Literal[
    # the reply, before anything is queued
    "drop before",  # the connection breaks
    "error 500",  # the WebUI's own kind of error
    "gateway 502",  # a proxy in front answers for it, in HTML
    "unauthorized",
    "nonsense",  # HTTP 200 and a web page
    # the reply, after the job was drawn
    "drop midway",  # the connection breaks within the reply
    "drop after",  # it breaks before the first byte of the reply
    "gateway 504",  # a proxy in front answers for it, in HTML
    "impatient",  # such a proxy answers 504 at once, while the job is drawn
    # while it draws
    "slow",  # each step takes `amount` seconds
    "hang",  # the job stands still until somebody interrupts it
    "deaf",  # until release(), whatever the interrupts
    "memory",  # out of it, after `amount` images
    "raise",  # a RuntimeError, after `amount` images
    "die",  # the server is gone after `amount` images; come_back() starts it anew
    "interrupted",  # by somebody else, after `amount` images
    "skipped",  # likewise: the batch ends half drawn, the rest is drawn
    "lora fails",  # its file cannot be read: drawn without
    "control fails",  # the extension raises: drawn without
    "model fails",  # the checkpoint cannot be loaded
    # what comes
    "truncated base64",
    "no base64",
    "truncated png",
    "damaged png",
    "jpeg",
    "webp",
    "gray",
    "blank",  # one black picture
    "grid",  # first, as if it had been asked for
    "short",  # the last image is missing
    "long",  # an image too many
    "empty",  # no image at all
    "twice",  # all images are the first
    "null",  # the last image is null
    "wrong size",
    "wrong model",
    "wrong vae",
    "wrong seeds",
    "wrong sampler",
    "wrong prompt",  # an extension has added words
    "no info",
    "broken info",  # it is no JSON
    "info list",  # it is a list
]
BEFORE = ("drop before", "error 500", "gateway 502", "unauthorized", "nonsense")
AFTER = ("drop midway", "drop after", "gateway 504")
WITHIN = (
    "slow", "hang", "deaf", "memory", "raise", "die", "interrupted", "skipped",
    "lora fails", "control fails", "model fails",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One kind of fault, for requests whose path begins with `path`: after the first `after` of
    them it strikes `times` times (None: always)."""

    what: What
    times: int | None = 1
    after: int = 0
    amount: float = 0.0
    path: str = "/sdapi/v1/txt2img"


GATEWAY = """<html>
<head><title>{status} {reason}</title></head>
<body><center><h1>{status} {reason}</h1></center><hr><center>nginx</center></body>
</html>
"""


@dataclass
class Struck:
    """A fault that a test has asked for, and how many requests it has seen."""

    fault: Fault
    seen: int = 0

    @property
    def hits(self) -> int:
        """How many of them it has struck."""
        after = max(0, self.seen - self.fault.after)
        return after if self.fault.times is None else min(after, self.fault.times)

    def meets(self, path: str) -> bool:
        """Whether a request is one of those it strikes; counts it if so."""
        if not path.startswith(self.fault.path):
            return False
        before = self.hits
        self.seen += 1
        return self.hits > before
