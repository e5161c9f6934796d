"""Where a model lies: a directory, or what was downloaded of a hub's model before. Nothing is downloaded unasked."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from misread.schemas.errors import MisreadError, first_line

WANTED: Final = ("*.json", "*.txt", "*.model", "*.safetensors")
"""Neither code nor pickles are ever taken."""
NEEDS: Final = ("torch", "transformers")


def is_place(asked: str) -> bool:
    """Whether a text can only be meant as a directory or as a hub's name, and not as an encoder's."""
    return "/" in asked or os.sep in asked or Path(asked).is_dir()


def located(asked: str, *, download: bool) -> Path:
    """The directory of a model. Raises MisreadError where there is none, saying how it can be had."""
    path = Path(asked).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_absolute() or asked.startswith((".", "~")) or asked.count("/") != 1:
        raise MisreadError(f"there is no model directory {asked}", "name a directory, or a hub's model as owner/name")
    name, _, revision = asked.partition("@")
    return _snapshot(asked, name, revision or None, download=download)


def _snapshot(asked: str, name: str, revision: str | None, *, download: bool) -> Path:
    import huggingface_hub

    try:
        options = {"revision": revision, "allow_patterns": list(WANTED), "local_files_only": not download}
        return Path(huggingface_hub.snapshot_download(name, **options))
    except Exception as error:  # noqa: BLE001 - of many kinds, and each is told
        if not download:
            raise MisreadError(
                f"there is no directory {asked}, and no model of that name was downloaded before",
                "download it with --download, or copy its directory here: misread downloads nothing unasked",
            ) from None
        raise MisreadError(
            f"{asked} cannot be downloaded: {type(error).__name__}: {first_line(error)}",
            "check the name and the network, or copy the model's directory here and name that",
        ) from None


def downloaded() -> list[tuple[str, Path]]:
    """(owner/name, directory) of every model that was downloaded before, by name; the newest revision of each."""
    if find_spec("huggingface_hub") is None:
        return []
    import huggingface_hub

    try:
        there = huggingface_hub.scan_cache_dir().repos
    except (huggingface_hub.errors.CacheNotFound, ValueError, OSError):
        return []
    models = [repo for repo in there if repo.repo_type == "model" and repo.revisions]
    newest = {repo.repo_id: max(repo.revisions, key=lambda revision: revision.last_modified) for repo in models}
    return [(name, Path(revision.snapshot_path)) for name, revision in sorted(newest.items())]


def require(*more: str) -> None:
    """Raises MisreadError where what pretrained models, or `more`, need is not installed."""
    lacking = [name for name in (*NEEDS, *more) if find_spec(name) is None]
    if lacking:
        wanted = " ".join(more) if more else "'misread[encoders]'"
        raise MisreadError(
            f"pretrained models need what is not installed: {', '.join(lacking)}",
            f"install it with: pip install {wanted}",
        )
