"""`embed` brings a store's vectors to what its pictures and reports are now, and does nothing more."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from encode import killed_embedding
from encode.encode_inputs import REPORT_TEXTS, encoded, fill, grey, vectors

from misread import devices
from misread.encode import Encoder, EncoderInfo, Fitter, Settings, embed, encoder, encoders, register, registry
from misread.encode.hog import HogEncoder
from misread.encode.tfidf import TfidfEncoder
from misread.schemas.errors import MisreadError, StoreError, UnknownNameError
from misread.schemas.tables import embeddings_contract
from misread.schemas.values import Modality
from misread.store import EncoderEntry, TableStore
from stores import table

PICTURES = {f"s{n}": encoded(grey(n, 40, 44)) for n in range(8)}
REPORTS = [(f"s{n}", None, text) for n, text in enumerate(REPORT_TEXTS)]


def fingerprint(store: TableStore, name: str) -> str:
    return store.manifest.tables[f"embeddings_{name}"].fingerprint


def fingerprints(store: TableStore) -> dict[str, str]:
    return {name: fingerprint(store, name) for name in store.encoders}


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return fill(tmp_path / "store", PICTURES, REPORTS)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each call encoded."""
    counts: list[int] = []
    for kind in (HogEncoder, TfidfEncoder):

        def counted(self: Any, items: Sequence[Any], inner: Any = kind.encode) -> Any:
            counts.append(len(items))
            return inner(self, items)

        monkeypatch.setattr(kind, "encode", counted)
    return counts


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten."""
    monkeypatch.setattr(registry, "_ENCODERS", dict(registry._ENCODERS))


def test_every_picture_and_report_has_the_encoder_s_vector(store: TableStore) -> None:
    """What is stored is what the encoder gives, in one commit, and the manifest says what it is."""
    result = embed(store)
    assert result.state == store.state == 2
    assert result.notices == ()
    assert {n: (e.total, e.encoded, e.removed) for n, e in result.encoders.items()} == dict.fromkeys(
        ("hog", "tfidf"), (8, 8, 0)
    )
    hog, tfidf = store.encoders["hog"], store.encoders["tfidf"]
    assert (hog.modality, hog.dimension, hog.source, hog.order, hog.model) == ("image", 720, "built-in", 2, None)
    assert (tfidf.modality, tfidf.dimension, tfidf.order) == ("report", 7, 2)
    assert tfidf.model is not None
    expected = HogEncoder().encode(list(PICTURES.values()))
    found = vectors(store, "hog")
    np.testing.assert_array_equal([found[sample] for sample in PICTURES], expected)
    fitter = encoder("tfidf").make()
    assert isinstance(fitter, Fitter)
    texts = fitter.from_arrays(store.read_model(tfidf.model)).encode(REPORT_TEXTS)
    np.testing.assert_array_equal([vectors(store, "tfidf")[f"s{n}"] for n in range(8)], texts)


def test_a_second_run_does_nothing(store: TableStore, seen: list[int]) -> None:
    """Nothing new is nothing encoded, nothing written and no new state; refitting on the same texts neither."""
    embed(store)
    before, encoded_before = store.manifest, list(seen)
    for refit in (False, True):
        result = embed(store, refit=refit)
        assert {e.encoded for e in result.encoders.values()} == {0}
        assert result.state == 2
    assert TableStore.open(store.location).manifest == before
    assert seen == encoded_before


def test_row_order_never_changes_a_vector(tmp_path: Path) -> None:
    """Stores filled in any order, in any number of commits, have the same embedding tables."""
    prints = []
    for turn, order in enumerate(([0, 1, 2, 3, 4, 5, 6, 7], [7, 3, 1, 0, 2, 6, 5, 4], [4, 5, 6, 7, 0, 1, 2, 3])):
        samples = [f"s{n}" for n in order]
        place = tmp_path / str(turn)
        for part in (samples[:turn], samples[turn:]):
            filled = fill(place, {s: PICTURES[s] for s in part}, [REPORTS[int(s[1:])] for s in part])
        embed(filled)
        prints.append(fingerprints(filled))
    assert prints[0] == prints[1] == prints[2]


def test_bit_by_bit_ends_where_all_at_once_does(tmp_path: Path, seen: list[int]) -> None:
    """After additions, changes and removals only what differs is encoded, and the table is that of a new store."""
    place = tmp_path / "grown"
    store = fill(place, {"s0": PICTURES["s0"], "s1": PICTURES["s7"], "s2": None, "gone": PICTURES["s1"]})
    embed(store)
    fill(place, {"s1": PICTURES["s1"], "s2": PICTURES["s2"], "s3": PICTURES["s3"]})
    with store.commit("delete") as commit:
        commit.writer("images").delete("sample_id = 'gone'")
    seen.clear()
    result = embed(store).encoders["hog"]
    assert (result.total, result.encoded, result.removed, sum(seen)) == (4, 3, 1, 3)
    whole = fill(tmp_path / "whole", {s: PICTURES[s] for s in ("s3", "s2", "s1", "s0")})
    embed(whole)
    assert fingerprints(store) == fingerprints(whole)
    assert store.encoders["hog"].order == store.state


def test_a_sample_without_an_input_has_no_vector(tmp_path: Path) -> None:
    """No picture or a blank report is no row; one that loses its picture or report loses its vector."""
    place = tmp_path / "store"
    store = fill(place, PICTURES | {"none": None}, [*REPORTS[:5], ("s6", None, " \n ")])
    embed(store)
    assert set(vectors(store, "hog")) == set(PICTURES)
    assert set(vectors(store, "tfidf")) == {"s0", "s1", "s2", "s3", "s4"}
    fill(place, {"s0": None}, [("s1", None, "")])
    result = embed(store)
    assert [e.removed for e in result.encoders.values()] == [1, 1]
    assert set(vectors(store, "hog")) == set(PICTURES) - {"s0"}
    assert set(vectors(store, "tfidf")) == {"s0", "s2", "s3", "s4"}
    with store.commit("delete") as commit:
        commit.writer("images").delete("true")
    result = embed(store, refit=True)
    assert (result.encoders["hog"].total, result.encoders["tfidf"].removed) == (0, 4)
    assert vectors(store, "tfidf") == {}
    fill(place, PICTURES)
    embed(store)
    assert set(vectors(store, "tfidf")) == {"s0", "s2", "s3", "s4"}


def test_a_study_s_report_gives_each_of_its_samples_the_same_vector(tmp_path: Path) -> None:
    """Reports keyed by study are spread over the study's samples."""
    studies = {"s0": "one", "s1": "one", "s2": "two"}
    reports = [(None, "one", REPORT_TEXTS[1]), (None, "two", REPORT_TEXTS[2]), ("s3", None, REPORT_TEXTS[3])]
    store = fill(tmp_path / "store", PICTURES, reports, studies=studies)
    embed(store, image_encoder=None)
    found = vectors(store, "tfidf")
    assert set(found) == {"s0", "s1", "s2", "s3"}
    np.testing.assert_array_equal(found["s0"], found["s1"])
    assert found["s0"] @ found["s2"] < 0.9


def test_new_reports_land_in_the_space_there_is(tmp_path: Path) -> None:
    """The model is kept: old vectors stay, and a new row with an old text gets the old vector."""
    place = tmp_path / "store"
    store = fill(place, PICTURES, REPORTS[:6])
    embed(store)
    model, old = store.encoders["tfidf"].model, vectors(store, "tfidf")
    fill(place, PICTURES, [("s6", None, REPORT_TEXTS[2]), ("s7", None, "cardiomegaly zzz")])
    result = embed(store)
    new = vectors(store, "tfidf")
    assert result.encoders["tfidf"].encoded == 2
    assert store.encoders["tfidf"].model == model
    for sample, vector in old.items():
        np.testing.assert_array_equal(new[sample], vector)
    np.testing.assert_array_equal(new["s6"], old["s2"])


def test_refit_is_what_a_new_store_would_fit(tmp_path: Path) -> None:
    """`refit` learns the words of all reports and encodes every row again; many new reports call for it."""
    place = tmp_path / "store"
    store = fill(place, PICTURES, REPORTS[:3])
    assert embed(store).notices == ()
    fill(place, PICTURES, REPORTS[3:])
    (notice,) = embed(store).notices
    assert "fitted on 3 different reports and there are 8 now" in notice
    dimension = store.encoders["tfidf"].dimension
    result = embed(store, refit=True)
    assert (result.encoders["tfidf"].encoded, result.encoders["hog"].encoded) == (8, 0)
    assert result.notices == ()
    assert store.encoders["tfidf"].dimension == 7 > dimension
    whole = fill(tmp_path / "whole", PICTURES, REPORTS)
    embed(whole)
    assert fingerprints(store) == fingerprints(whole)
    assert TableStore.open(place, state=2).table("embeddings_tfidf").count() == 3


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """A modality the store lacks is a notice, one that was not asked for is none; neither makes a state."""
    store = fill(tmp_path / "store", {"a": None})
    result = embed(store)
    assert result.notices == (
        "the store has no images: hog has nothing to encode",
        "the store has no reports: tfidf has nothing to encode",
    )
    assert (result.encoders, result.state) == ({}, 1)
    assert embed(store, image_encoder=None, report_encoder=None).notices == ()


def test_encoders_that_do_not_exist_are_refused(store: TableStore) -> None:
    """The error names those of the modality that do; nothing is encoded before."""
    with pytest.raises(UnknownNameError, match=r"no image encoder 'hogg'; did you mean 'hog'"):
        embed(store, image_encoder="hogg")
    with pytest.raises(UnknownNameError, match="no report encoder 'hog'") as caught:
        embed(store, report_encoder="hog")
    assert caught.value.hint == "there is: tfidf; any other model is named by its directory, or as owner/name"
    assert store.state == 1


def test_vectors_computed_elsewhere_are_never_overwritten(store: TableStore) -> None:
    """An outside encoder of the same name stays as it is, and so does everything else."""
    contract = embeddings_contract("tfidf", 2)
    with store.commit("ingest") as commit:
        commit.append(contract.name, table(contract, [{"sample_id": "s0", "vector": [1.0, 0.0]}]))
        commit.set_encoder("tfidf", EncoderEntry("report", 2, "external", 2))
    with pytest.raises(StoreError, match="computed elsewhere"):
        embed(store)
    assert TableStore.open(store.location).state == 2


def test_an_unreadable_picture_is_named_and_nothing_is_stored(store: TableStore) -> None:
    """The sample at fault is in the message; no vector of the run is visible, and the run can be repeated."""
    fill(Path(store.location), {"s3": b"not a picture"})
    with pytest.raises(MisreadError, match="image of sample 's3' cannot be encoded: unreadable image"):
        embed(store)
    assert TableStore.open(store.location).tables == ["images", "reports"]
    fill(Path(store.location), {"s3": PICTURES["s3"]})
    embed(store)
    assert set(vectors(store, "hog")) == set(PICTURES)


class Brightness:
    """Mean brightness, twice; `gives` spoils it."""

    name = "brightness"
    modality: Modality = "image"
    version = 1
    dimension = 2

    def __init__(self, gives: Any = None) -> None:
        self.gives = gives

    def encode(self, items: Sequence[bytes]) -> Any:
        rows = np.array([[len(item), len(item)] for item in items], np.float32)
        return rows if self.gives is None else self.gives(rows)


def test_an_encoder_slots_in_by_registering(store: TableStore, registered: None) -> None:
    """A new encoder needs nothing but its entry; the one embedded last has the highest order."""
    embed(store)
    register(EncoderInfo("brightness", "image", "how bright", Brightness))
    assert embed(store, image_encoder="brightness").encoders["brightness"].encoded == 8
    assert vectors(store, "brightness").keys() == PICTURES.keys()
    assert store.encoders["brightness"].order == 3 > store.encoders["hog"].order == 2


def test_a_new_version_of_an_encoder_encodes_all_again(
    store: TableStore, seen: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors of an older version never mix with those of a newer one, whatever the length of either."""
    embed(store)
    seen.clear()
    monkeypatch.setattr(HogEncoder, "version", 2)
    embed(store)
    assert seen == [8]
    assert store.encoders["hog"].parameters["version"] == 2
    embed(store)
    assert seen == [8]


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        (lambda rows: rows * np.nan, "no finite vector for sample 's0'"),
        (lambda rows: rows[:-1], r"gave float32 \(7, 2\), not float32 \(8, 2\)"),
        (lambda rows: rows.astype(np.float64), "gave float64"),
        (lambda rows: rows[:, :1], r"\(8, 1\)"),
    ],
)
def test_an_encoder_that_breaks_its_word_is_refused(
    store: TableStore, registered: None, gives: Any, message: str
) -> None:
    """NaN, wrong shapes and wrong types never reach the store."""
    register(EncoderInfo("brightness", "image", "how bright", lambda: Brightness(gives)))
    with pytest.raises(MisreadError, match=message):
        embed(store, image_encoder="brightness")
    assert TableStore.open(store.location).state == 1


def test_progress_goes_up_to_the_number_of_rows(store: TableStore) -> None:
    """Each modality counts from nothing to all of its new rows."""
    told: list[tuple[int, int, str]] = []
    embed(store, progress=lambda done, total, what: told.append((done, total, what)))
    assert told == [
        (0, 8, "images encoded"),
        (8, 8, "images encoded"),
        (0, 8, "reports encoded"),
        (8, 8, "reports encoded"),
    ]


@pytest.mark.slow
def test_a_killed_run_leaves_the_old_state_and_the_next_completes_it(store: TableStore, tmp_path: Path) -> None:
    """SIGKILL at every step of a run: the store is as before it or as after it, and a rerun ends the same."""
    embed(store)
    fill(Path(store.location), {"s1": PICTURES["s2"], "new": PICTURES["s4"]}, [("s2", None, "clear"), REPORTS[0]])
    stores = [Path(shutil.copytree(store.location, tmp_path / f"k{n}")) for n in range(25)]
    before = TableStore.open(store.location).manifest
    embed(store)
    command = [sys.executable, killed_embedding.__file__, *map(str, stores)]
    ends = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert 8 <= ends.count("killed") < len(stores)
    for place in stores[: len(ends) - 1]:
        assert TableStore.open(place).manifest == before
        embed(again := TableStore.open(place))
        assert fingerprints(again) == fingerprints(store)
    assert fingerprints(TableStore.open(stores[len(ends) - 1])) == fingerprints(store)


@pytest.mark.parametrize("info", encoders(), ids=lambda info: info.name)
def test_every_registered_encoder_keeps_its_word(info: EncoderInfo, store: TableStore) -> None:
    """Name and modality are those registered, vectors finite float32 of its dimension; fitted arrays make it again."""
    made = info.make()
    items: list[Any] = list(PICTURES.values()) if info.modality == "image" else list(REPORT_TEXTS)
    both: list[Encoder | Fitter] = [made, info.make()]
    if isinstance(made, Fitter):
        arrays = made.fit(items)
        with store.commit("fit") as commit:
            file = commit.put_model(info.name, arrays)
        both = [made.from_arrays(arrays), made.from_arrays(store.read_model(file))]
    ready = [one for one in both if isinstance(one, Encoder)]
    assert len(ready) == 2
    for one in ready:
        assert (one.name, one.modality, one.version) == (info.name, info.modality, made.version)
    first, second = (one.encode(items) for one in ready)
    assert first.dtype == np.float32
    assert first.shape == (len(items), ready[0].dimension)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)


def test_naming_encoders_imports_nothing_heavy() -> None:
    """What there is can be listed without loading what it needs."""
    heavy = ("sklearn", "skimage", "PIL", "torch", "lance")
    code = f"import sys, misread.encode as e; e.encoders(); print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("with_torch", [True, False])
def test_a_device_that_is_not_here_is_an_error_whatever_the_encoder(
    store: TableStore, with_torch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that is asked for and not there is told though no encoder runs on it, with torch or without."""
    if with_torch:
        pytest.importorskip("torch")
    else:
        monkeypatch.setattr(devices, "find_spec", lambda name: None)
    before = store.manifest
    for name in ("tpu", "nowhere:1"):
        with pytest.raises(MisreadError, match=f"there is no device '{name}'") as caught:
            embed(store, settings=Settings(name))
        assert "leave the device out" in caught.value.hint
        assert "privateuseone" not in caught.value.message
    assert TableStore.open(store.location).manifest == before
    assert set(embed(store, settings=Settings("cpu")).encoders) == {"hog", "tfidf"}
