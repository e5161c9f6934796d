"""Slices told in words, end to end: which phrases there are, in which space, with what evidence."""

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import polars.selectors as cs
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import misread as mr
from misread.encode import EncoderInfo
from misread.encode import registry as encoders
from misread.encode.phrases import phrase_vectors
from misread.execute.evidence import phrase_evidence
from misread.library import LazyFrame, Store
from misread.metadata import LABEL_COLUMNS
from misread.schemas.errors import AuditError, InputFaultsError, MisreadError
from misread.schemas.tables import IMAGES, VECTOR
from misread.store import EncoderEntry
from stores import planted_store, write_store

ENGINE = Path(mr.__file__).parent


def audit(store: Store) -> LazyFrame:
    return store.scan(model="m").discover(permutations=0, stability=0)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two rows a patient; the slice's reports say "no chest tube"."""
    store = planted_store(tmp_path_factory.mktemp("described") / "store", per_patient=2)
    audit(store).describe().sink()
    return mr.open(store.location)


def test_every_phrase_has_the_evidence_of_held_out_rows(described: Store) -> None:
    """Counts, rates and p-value of the planted phrase are those of the confirmation half, by hand from SQL."""
    phrase = described.sql("SELECT * FROM phrases WHERE rank = 1 ORDER BY slice_id").row(0, named=True)
    assert (phrase["phrase"], phrase["assertion"], phrase["source"]) == ("no chest drain", "absent", "term")
    assert phrase["score"] > 0.5
    rows = described.sql(
        """SELECT a.sample_id, i.patient_id, r.report LIKE 'No chest tube%' AS has, m.sample_id IS NOT NULL AS inside
           FROM slices s JOIN audited a USING (audit_id, model, target) JOIN images i USING (sample_id)
           JOIN reports r ON r.sample_id = a.sample_id
           LEFT JOIN memberships m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
           WHERE s.slice_id = $slice AND a.label = s.true_class AND a.half = 'confirmation' ORDER BY a.sample_id""",
        {"slice": phrase["slice_id"]},
    )
    codes = rows["patient_id"].rank("dense").to_numpy().astype(int)
    expected = phrase_evidence(rows["has"].to_numpy(), rows["inside"].to_numpy(), codes)
    assert {name: phrase[name] for name in expected} == pytest.approx(expected)
    assert phrase["q_value"] >= phrase["p_value"]


def test_a_slice_is_told_in_a_sentence_and_examples(described: Store) -> None:
    """The sentence names the phrase; typical errors are wrong members, their neighbours are right and of the class."""
    first = described.sql("SELECT * FROM slices ORDER BY slice_id").row(0, named=True)
    assert first["sentence"].startswith("Misses Pneumothorax in ")
    assert '"no chest drain" in the report' in first["sentence"]
    shown = described.sql(
        """SELECT e.*, a.error, a.label = s.true_class AS own, m.sample_id IS NOT NULL AS inside FROM examples e
           JOIN slices s USING (slice_id) JOIN audited a USING (sample_id)
           LEFT JOIN memberships m ON m.slice_id = e.slice_id AND m.sample_id = e.sample_id"""
    )
    typical, neighbours = (shown.filter(kind=kind) for kind in ("typical error", "correct neighbour"))
    assert typical.height >= 8
    assert typical.select((pl.col("error") & pl.col("inside") & pl.col("own")).all()).item()
    assert neighbours.select((~pl.col("error") & pl.col("own")).all()).item()
    assert set(neighbours["neighbour_of"]) <= set(typical["sample_id"])


def test_contrast_words_are_kept_with_their_counts(described: Store) -> None:
    """The words that the slice's reports use more, counted in patients."""
    words = described.sql("SELECT * FROM contrast_words ORDER BY slice_id, rank")
    assert "no" in words["word"].to_list()
    assert (words["count_inside"] >= 0).all()
    assert words.filter(pl.col("q_value") < 0.05).height > 0


def test_the_audit_says_how_phrases_were_compared(described: Store) -> None:
    """A note names the bank and the space."""
    notes = described.sql("SELECT unnest(notes) AS note FROM audits")["note"].to_list()
    assert any("fused space" in note and "phrases of the reports" in note for note in notes)


def test_collecting_and_keeping_give_the_same_words(described: Store) -> None:
    """describe().collect() has the sentences that sink() keeps."""
    collected = audit(described).describe().collect(cache=False)
    kept = described.sql("SELECT slice_id, sentence FROM slices ORDER BY slice_id")
    assert collected.sort("slice_id").select("slice_id", "sentence").equals(kept)


def test_without_reports_metadata_tell_alone(tmp_path: Path) -> None:
    """And the audit says so."""
    store = planted_store(tmp_path / "store", samples=500)
    with store.commit("forget") as commit:
        commit.table("reports")
        commit.writer("reports").delete("true")
    opened = mr.open(store.location)
    audit(opened).describe().sink()
    told = mr.open(store.location)
    assert set(told.sql("SELECT source FROM phrases")["source"]) <= {"metadata"}
    assert "metadata alone" in " ".join(told.sql("SELECT unnest(notes) AS note FROM audits")["note"])


class TwoTowers:
    """Pictures and phrases in one space of twelve numbers: a chest drain that is missed lies along the first."""

    name = "towers"
    modality = "image"
    dimension = 12
    version = 1

    def encode(self, items: Sequence[bytes]) -> np.ndarray:
        raise NotImplementedError

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        rng = np.random.default_rng(0)
        rows = {text: rng.standard_normal(12) for text in sorted(texts)}
        planted = np.eye(12)[0] * 9
        return np.stack([planted if text.endswith("scoliosis") else rows[text] for text in texts]).astype(np.float32)


@pytest.fixture
def towers() -> Iterator[None]:
    encoders.register(EncoderInfo("towers", "image", "a test's", TwoTowers))  # type: ignore[arg-type]
    yield
    encoders._ENCODERS.pop("towers")


def cross_modal(store: Store) -> Store:
    """The same store, its vectors those of an encoder with a tower for texts."""
    with store.commit("rename") as commit:
        rows = commit.table("embeddings_outside").read().drop_columns(["checksum"])
        commit.append("embeddings_towers", rows)
        commit.set_encoder("towers", EncoderEntry("image", 12, "built-in", 2))
    return mr.open(store.location)


@pytest.mark.usefixtures("towers")
def test_without_reports_phrases_are_compared_with_pictures(tmp_path: Path) -> None:
    """In a space of pictures and texts the nearest term is found, tested by ranks on held-out rows, and told."""
    store = planted_store(tmp_path / "store", samples=600)
    with store.commit("forget") as commit:
        commit.writer("reports").delete("true")
    opened = cross_modal(mr.open(store.location))
    opened.scan(model="m").fuse(image="towers").discover(permutations=0, stability=0).describe().sink()
    told = mr.open(opened.location)
    first = told.sql("SELECT * FROM phrases ORDER BY slice_id, rank").row(0, named=True)
    assert (first["phrase"], first["source"], first["rate_inside"]) == ("scoliosis", "term", None)
    assert first["q_value"] < 1e-4
    assert 'nearer to "scoliosis"' in told.sql("SELECT sentence FROM slices ORDER BY slice_id")["sentence"][0]
    assert "space of the image encoder towers" in " ".join(told.sql("SELECT unnest(notes) AS note FROM audits")["note"])


@pytest.mark.usefixtures("towers")
def test_encoders_without_a_tower_give_no_phrase_vector(tmp_path: Path) -> None:
    """Vectors from elsewhere and encoders of pictures alone have none; two towers have one a phrase."""
    store = cross_modal(planted_store(tmp_path / "store", samples=30))
    assert phrase_vectors(store, "outside", ["mass"]) is None
    assert phrase_vectors(store, "nowhere", ["mass"]) is None
    found = phrase_vectors(store, "towers", ["mass", "hernia"])
    assert found is not None
    assert found.shape == (2, 12)


def test_the_users_phrases_take_part_and_make_another_audit(tmp_path: Path) -> None:
    """They are found by their spellings, marked as the list's, and an audit told by them has an id of its own."""
    store = planted_store(tmp_path / "store", samples=500)
    plain, listed = audit(store).describe(), audit(store).describe(phrases={"bare chest": ["chest tube"]})
    ids = [plain.sink(), listed.sink()]
    assert ids[0] != ids[1]
    told = mr.open(store.location)
    found = told.sql("SELECT source FROM phrases WHERE audit_id = $id AND phrase = 'no bare chest'", {"id": ids[1]})
    assert found["source"].to_list()[:1] == ["list"]
    assert audit(store).describe(most=10).plan == audit(store).describe().plan


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", "# mine\nchest drain: chest tube; pleural drain\n\nshunt\n"),
        ("list.csv", "phrase,note,spellings\nchest drain,x,chest tube;pleural drain\nshunt,,\n"),
    ],
)
def test_lists_are_read_from_files(tmp_path: Path, described: Store, name: str, text: str) -> None:
    """CSV and text say the same."""
    path = tmp_path / name
    path.write_text(text)
    expected = {"shunt": [], "chest drain": ["chest tube", "pleural drain"]}
    assert audit(described).describe(phrases=path).plan == audit(described).describe(phrases=expected).plan


def test_everything_wrong_with_a_list_is_told_at_once(tmp_path: Path, described: Store) -> None:
    """Row and column of each phrase that can never be found; unreadable files by name; nothing is run."""
    path = tmp_path / "list.csv"
    path.write_text("phrase,spellings\nmass,no mass\nMass,\n???,\n" + "x" * 101 + ",\n")
    with pytest.raises(InputFaultsError) as refused:
        audit(described).describe(phrases=path)
    places = [(fault.row, fault.column) for fault in refused.value.faults]
    assert places == [(2, "spellings"), (3, "phrase"), (4, "phrase"), (5, "phrase")]
    for content, said in ((b"name\nmass\n", "no column 'phrase'"), (b"phrase\n\xff\n", "line 2"), (b"", "no column")):
        path.write_bytes(content)
        with pytest.raises(MisreadError, match=said):
            audit(described).describe(phrases=path)
    with pytest.raises(MisreadError, match="cannot be read"):
        audit(described).describe(phrases=tmp_path / "none.txt")
    with pytest.raises(InputFaultsError, match="holds no phrase"):
        audit(described).describe(phrases=[])
    with pytest.raises(AuditError, match="at least 1"):
        audit(described).describe(most=0)


def written_within(*folders: str) -> set[str]:
    """The words that stand as texts or names of arguments in modules: columns of frames among them."""
    trees = (ast.parse(path.read_text()) for folder in folders for path in (ENGINE / folder).glob("*.py"))
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {name for name in texts | {str(n.arg) for n in nodes if isinstance(n, ast.keyword)} if name.isidentifier()}


def test_metadata_columns_may_be_called_as_columns_within(tmp_path: Path) -> None:
    """Slices and all that is told of them are those of the same samples whose columns are called otherwise."""
    source = planted_store(tmp_path / "source", samples=400, per_patient=2)
    stored = ("images", "predictions", "reports")
    images, predictions, reports = (source.table(name).read().to_pylist() for name in stored)
    rows = source.table("embeddings_outside").read(["sample_id", "vector"]).to_pylist()
    vectors = {row["sample_id"]: row["vector"] for row in rows}
    within = {name.lower() for name in written_within("audit", "execute", "describe", "discover")}
    names = sorted(within - {*map(str.lower, IMAGES.names), VECTOR, *LABEL_COLUMNS})
    assert {"patient", "half", "left_out", "place", "rows", "patients"} < set(names)
    told = []
    for mark in ("", "!"):  # which leaves them in their order
        called = [name + mark for name in names]
        renamed = [row | dict.fromkeys(called, row["view"]) for row in images]
        fields = [pa.field(name, pa.string()) for name in called]
        place = tmp_path / f"store{mark}"
        store = write_store(place, renamed, predictions, vectors=vectors, reports=reports, metadata=fields)
        audit(store).describe().sink()
        views = ("slices", "phrases", "contrast_words", "examples")
        asked = [f"SELECT * EXCLUDE (audit_id, slice_id) FROM {view} ORDER BY ALL" for view in views]
        tables = [mr.open(place).sql(one) for one in (*asked, "SELECT parameters FROM audits")]
        assert all(table.height for table in tables)
        told.append([table.with_columns(cs.string().str.replace_all("!", "")) for table in tables])
    for one, other in zip(*told, strict=True):
        assert_frame_equal(one, other)
