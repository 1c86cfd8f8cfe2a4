"""What the embedded server needs of ComfyUI and nothing else, so that a start takes no time.

--fake-exit TEXT     write TEXT and end with code 3
--fake-silent        never answer
--fake-say TEXT      write TEXT before answering
--fake-stubborn      ignore SIGTERM
--fake-grandchild    start a process of its own and write its id
"""

import argparse
import json
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NODES = {"Ours": {"python_module": "custom_nodes.manyshot"}, "Theirs": {"python_module": "nodes"}}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        stats = {
            "system": {"comfyui_version": "0.3.75", "pytorch_version": "0", "argv": sys.argv},
            "devices": [{"name": "fake"}],
        }
        body = json.dumps(NODES if self.path == "/object_info" else stats).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fake-exit")
    parser.add_argument("--fake-say")
    for flag in ("silent", "stubborn", "grandchild"):
        parser.add_argument(f"--fake-{flag}", action="store_true")
    args, _ = parser.parse_known_args()
    say(f"cwd {Path.cwd()}")
    if args.fake_stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if args.fake_grandchild:
        child = subprocess.Popen(["sleep", "600"])
        say(f"grandchild {child.pid}")
    if args.fake_exit:
        say(args.fake_exit)
        sys.exit(3)
    if args.fake_silent:
        threading.Event().wait()
    if args.fake_say:
        say(args.fake_say)
    ThreadingHTTPServer(("127.0.0.1", args.port), Handler).serve_forever()


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
