"""SD1's tokenizer as a folder of files."""

from pathlib import Path

from ...core.errors import InputError

NEEDED = ("vocab.json", "merges.txt")
NOTES = ("tokenizer_config.json", "special_tokens_map.json")


def tokenizer_files(folder: Path) -> list[Path]:
    """The files that are there. Raises InputError when one that is needed is not."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"The tokenizer folder {folder} lacks {' and '.join(missing)}. Pass ComfyUI's "
            "folder comfy/sd1_tokenizer."
        )
    return [folder / name for name in (*NEEDED, *NOTES) if (folder / name).is_file()]
