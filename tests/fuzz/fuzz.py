"""Fuzz a door with coverage guidance: `python tests/fuzz/fuzz.py events --seconds 120 --into DIR`.

On atheris (libFuzzer). Inputs that are JSON are mutated as JSON. A crash does not end it: of each
kind, told by its type and place, the smallest input lies in DIR/crashes.
"""

import argparse
import json
import random
import sys
import time
import traceback
from hashlib import sha256
from pathlib import Path
from typing import Any

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(include=["manyshot", "yaml"]):  # pyright: ignore
    import targets  # pyright: ignore[reportMissingImports]
    from manyshot.core.errors import ManyshotError

LEAVES = (None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, 1e308, "", "a", "../a", "\0",
          "\ud800", "9" * 40, [], {}, [[]], [None], {"a": None})  # fmt: skip
SLOW = 5.0  # seconds; more is a fault as well


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=targets.TARGETS)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--into", type=Path, required=True)
    args = parser.parse_args()
    corpus, crashes = args.into / "corpus" / args.name, args.into / "crashes"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    for seed in targets.seeds(args.name):
        (corpus / sha256(seed).hexdigest()[:16]).write_bytes(seed)
    limits = [f"-max_total_time={args.seconds}", "-timeout=60", "-rss_limit_mb=3000"]
    quiet = ["-print_final_stats=1", "-verbosity=0", "-max_len=65536"]
    options = [
        sys.argv[0],
        *limits,
        *quiet,
        f"-artifact_prefix={crashes}/{args.name}-",
        str(corpus),
    ]
    atheris.Setup(options, guarded(args.name, crashes), custom_mutator=mutated)
    atheris.Fuzz()


def guarded(name: str, crashes: Path) -> Any:
    """The target; what it should not raise is kept, and fuzzing goes on."""
    target, smallest = targets.TARGETS[name], {}

    def one_input(data: bytes) -> None:
        began, kind = time.monotonic(), ""
        try:
            target(data)
        except ManyshotError:
            pass
        except Exception as error:
            kind = kind_of(error)
        if time.monotonic() - began > SLOW:
            kind = "slow"
        if kind and len(data) < smallest.get(kind, sys.maxsize):
            smallest[kind] = len(data)
            stem = f"{name}-{sha256(kind.encode()).hexdigest()[:8]}"
            (crashes / f"{stem}.bin").write_bytes(data)
            (crashes / f"{stem}.txt").write_text(kind)

    return one_input


def kind_of(error: Exception) -> str:
    """Its type, and the last place in manyshot that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/fuzz/" not in frame.filename]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in ours]
    return f"{type(error).__name__} at {' < '.join(reversed(places[-3:]))}"


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Half of the time a value within a JSON, or a line of it, is another; else bytes are."""
    dice = random.Random(seed)
    if dice.random() < 0.5:
        lines = bytes(data).split(b"\n") if dice.random() < 0.5 else [bytes(data)]
        place = dice.randrange(len(lines))
        try:
            value = json.loads(lines[place])
        except (ValueError, RecursionError):
            return atheris.Mutate(data, most)
        lines[place] = json.dumps(changed(value, dice)).encode()
        return b"\n".join(lines)[:most]
    return atheris.Mutate(data, most)


def changed(value: Any, dice: random.Random) -> Any:
    """A JSON value with one of its parts replaced, copied or gone."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        key = dice.choice(list(value))
        if dice.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        if dice.random() < 0.1:
            return {**value, dice.choice(["a", "", "../a", "1"]): value[key]}
        return {**value, key: changed(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.85:
        place = dice.randrange(len(value))
        if dice.random() < 0.1:
            return value[:place] + value[place + 1 :]
        if dice.random() < 0.1:
            return [*value, value[place]]
        return [*value[:place], changed(value[place], dice), *value[place + 1 :]]
    if isinstance(value, str) and value and dice.random() < 0.3:
        place = dice.randrange(len(value))
        return value[:place] + chr(dice.choice([0, 32, 47, 58, 123, 0x301, 0xD800])) + value[place:]
    return dice.choice(LEAVES)


if __name__ == "__main__":
    main()
