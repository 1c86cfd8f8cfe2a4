"""The WebUI's record of what it caught and only logged."""

import sys
import traceback

exception_records = []


def report(message):
    _, error, frames = sys.exc_info()
    texts = [
        [f"{x.filename}, line {x.lineno}, {x.name}", x.line] for x in traceback.extract_tb(frames)
    ]
    exception_records.append({"exception": str(error), "traceback": texts})
    del exception_records[:-5]
