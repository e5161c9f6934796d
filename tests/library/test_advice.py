"""What an error advises can be copied into a shell: it names the store, quoted where that is needed."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from misread.library import Store
from misread.schemas.errors import AuditError
from stores import write_store

ROW: dict[str, object] = {"model": "m", "target": "T", "label": 1, "score": 0.2, "threshold": 0.5}


@pytest.mark.parametrize(
    ("samples", "ask", "words"),
    [
        ([], lambda store: store.scan(), ["ingest", "--predictions", "FILE"]),
        (["a"], lambda store: store.scan().fuse(modalities=["image"]), ["embed"]),
        (["a"], lambda store: store.report(), ["discover"]),
        (["a"], lambda store: store.assign("newest"), ["discover"]),
    ],
    ids=["predictions", "vectors", "report", "assign"],
)
def test_advice_names_the_store(
    samples: list[str], ask: Callable[[Store], object], words: list[str], tmp_path: Path
) -> None:
    """Where a store lacks something, the command that makes it is told with that store's name."""
    place = tmp_path / "audits of today"
    store = write_store(place, [{"sample_id": "a"}], [{"sample_id": sample, **ROW} for sample in samples])
    with pytest.raises(AuditError) as caught:
        ask(store)
    advised = shlex.split(caught.value.hint.partition(" with: ")[2])
    assert advised == ["misread", words[0], str(place), *words[1:]]
