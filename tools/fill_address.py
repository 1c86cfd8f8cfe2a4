"""Write a repository's address into what is published from it: pyproject.toml, README.md and
CITATION.cff, whose links are relative until then.

    python tools/fill_address.py https://github.com/OWNER/manyshot --tag v0.1.0

The workflow publish.yml runs it with the address of the repository that it runs in.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
MARK = "# [project.urls]: tools/fill_address.py writes them when a version is published.\n"
PLACEHOLDER = "<the address of this repository>"
PICTURES = {".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"}
# [text](target) and ![text](target), and the attributes of HTML that hold addresses.
LINK = re.compile(r"(?<=\]\()[^)\s]+|(?<=\bsrc=\")[^\"]+|(?<=\bhref=\")[^\"]+")
ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|#|//", re.IGNORECASE)


def fill_links(text: str, address: str, tag: str) -> str:
    """`text` of Markdown with its relative links as absolute ones, to the files as of `tag`."""

    def absolute(match: re.Match[str]) -> str:
        target = match[0]
        if ABSOLUTE.match(target):
            return target
        suffix = PurePosixPath(target.partition("#")[0]).suffix.lower()
        kind = "raw" if suffix in PICTURES else "blob"
        return f"{address}/{kind}/{tag}/{target.removeprefix('./')}"

    return LINK.sub(absolute, text).replace(PLACEHOLDER, address)


def fill_project(text: str, address: str, tag: str) -> str:
    """`text` of pyproject.toml with its addresses. Raises ValueError where their place is gone, and
    for a tag of another version."""
    version = tomllib.loads(text)["project"]["version"]
    if tag != f"v{version}":
        raise ValueError(f"The tag is {tag}, and pyproject.toml has version {version}.")
    if text.count(MARK) != 1:
        raise ValueError("pyproject.toml has no line for its addresses, or has them already.")
    urls = {
        "Homepage": address,
        "Documentation": f"{address}/tree/{tag}/docs",
        "Repository": address,
        "Issues": f"{address}/issues",
        "Changelog": f"{address}/blob/{tag}/CHANGELOG.md",
    }
    lines = [f'{name} = "{url}"\n' for name, url in urls.items()]
    return text.replace(MARK, "".join(["[project.urls]\n", *lines]))


def fill_all(root: Path, address: str, tag: str) -> None:
    """Write the files of the checkout `root`, all of them or none.

    The guides' links stay relative, for they lie beside each other wherever they are read.
    """
    changed = {
        "pyproject.toml": fill_project((root / "pyproject.toml").read_text("utf-8"), address, tag),
        "README.md": fill_links((root / "README.md").read_text("utf-8"), address, tag),
        "CITATION.cff": f"{(root / 'CITATION.cff').read_text('utf-8')}repository-code: {address}\n",
    }
    for path in sorted((root / "docs").glob("*.md")):
        text = path.read_text("utf-8")
        if PLACEHOLDER in text:
            changed[f"docs/{path.name}"] = text.replace(PLACEHOLDER, address)
    for name, text in changed.items():
        (root / name).write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("address", help="such as https://github.com/OWNER/manyshot")
    parser.add_argument("--tag", required=True, help="the version's tag, such as v0.1.0")
    options = parser.parse_args()
    if not re.fullmatch(r"https://[^\s/]+/[^\s/]+/[^\s/]+", options.address):
        sys.exit(f"{options.address} is not the address of a repository: https://HOST/OWNER/NAME.")
    try:
        fill_all(ROOT, options.address, options.tag)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
