"""The benchmark of encoding times the same work on both sides."""

from pathlib import Path

import numpy as np
import pytest
from encode.encode_inputs import vectors
from encode.tiny_models import MODELS

pytest.importorskip("torch", reason="pretrained models need torch")
pytest.importorskip("transformers", reason="pretrained models need transformers")

from benchmarks.encoding.__main__ import AT_ONCE, drawn, filled, looped, turn
from misread.encode import embed, pretrained
from misread.store import TableStore


def test_the_loop_and_the_job_encode_the_same_pictures(tmp_path: Path) -> None:
    """Every picture is in the store; both sides take time, and the store is left as it was."""
    model, pictures = MODELS["vit"](tmp_path / "vit"), drawn(AT_ONCE + 6)
    store = filled(tmp_path / "store", pictures)
    measured = turn(tmp_path, store, model, pictures, "cpu", "float32")
    assert min(measured.loop, measured.embed, measured.whole, measured.loop_cpu, measured.embed_cpu) > 0
    assert TableStore.open(store).state == 1
    seconds, cpu = looped(model, pictures[:4], "cpu", "float32")
    assert seconds > 0
    assert cpu > 0
    opened = TableStore.open(store)
    embed(opened, image_encoder=str(model), report_encoder=None)
    found = vectors(opened, "vit")
    expected = pretrained(str(model), "image").encode(pictures[:4])
    np.testing.assert_allclose([found[f"s{n:06}"] for n in range(4)], expected, atol=1e-5)
    assert len(found) == len(pictures)
