"""Vectors in SQL: a sample's own, its nearest samples, and the phrase nearest to one."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from misread.library import Store
from misread.schemas.errors import QueryError, UnknownNameError
from misread.schemas.tables import PHRASES
from stores import table, write_store

ROWS = 60


@pytest.fixture(scope="module")
def vectors() -> dict[str, np.ndarray]:
    """The first thirty lie in one direction, the others in another; two of them are the same, one is nothing."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((ROWS, 6)).astype(np.float32)
    rows[:30, 0] += 5
    rows[30:, 1] += 5
    rows[7] = rows[3]
    rows[9] = 0
    return {f"s{i:02d}": rows[i] for i in range(ROWS)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, vectors: dict[str, np.ndarray]) -> Store:
    names = [*vectors, "without"]
    texts = ["Chest drain in place." if i < 30 else "No chest drain seen. Heart normal." for i in range(ROWS)]
    made = write_store(
        tmp_path_factory.mktemp("ask") / "store",
        [{"sample_id": name} for name in names],
        [],
        vectors=vectors,
        reports=[{"sample_id": f"s{i:02d}", "report": text} for i, text in enumerate(texts)],
    )
    phrases = [("chest drain in place", "report"), ("heart normal", "report"), ("view = AP", "metadata")]
    rows = [
        {"audit_id": "a", "slice_id": "a-1", "rank": place, "phrase": phrase, "source": source}
        for place, (phrase, source) in enumerate(phrases, 1)
    ]
    with made.commit("test") as commit:
        commit.append("phrases", table(PHRASES, rows))
    return made


def test_a_samples_own_vector(store: Store, vectors: dict[str, np.ndarray]) -> None:
    """The stored numbers to the bit; NULL for a sample without a vector, one that is not there, and NULL."""
    found = store.sql("SELECT sample_id, vector_of(sample_id, 'image') AS v FROM images ORDER BY sample_id")
    for name, vector in found.iter_rows():
        assert vector is None if name == "without" else np.array_equal(np.array(vector, np.float32), vectors[name])
    asked = "SELECT vector_of('x', 'outside') AS a, vector_of(NULL, 'image') AS b"
    assert store.sql(asked).row(0) == (None, None)


@pytest.mark.parametrize("k", [1, 5, 100])
def test_nearest_samples_are_those_of_every_cosine(store: Store, vectors: dict[str, np.ndarray], k: int) -> None:
    """For every sample the k highest cosines of all the others, ties by sample id; nothing for one without a vector."""
    asked = f"SELECT i.sample_id AS own, n.* FROM images AS i, nearest_samples(i.sample_id, k := {k}) AS n"
    found = store.sql(asked).sort("own", "rank")
    names = list(vectors)
    cosines = np.round(cosine_similarity(np.stack(list(vectors.values())).astype(np.float64)), 9)
    for place, own in enumerate(names):
        others = [(-cosines[place, i], name) for i, name in enumerate(names) if name != own]
        rows = found.filter(own=own)
        assert rows["sample_id"].to_list() == [name for _, name in sorted(others)[:k]]
        assert rows["similarity"].to_list() == pytest.approx([-c for c, _ in sorted(others)[:k]], abs=1e-9)
        assert rows["rank"].to_list() == list(range(1, min(k, ROWS - 1) + 1))
    assert found.filter(own="without").is_empty()


def test_one_question_alone_has_the_same_neighbours(store: Store) -> None:
    """Asked for one sample or for all at once, the answer is the same."""
    together = store.sql("SELECT i.sample_id AS own, n.* FROM images AS i, nearest_samples(i.sample_id, k := 4) AS n")
    for own in ("s00", "s03", "s45"):
        alone = store.sql("FROM nearest_samples($own, k := 4)", {"own": own})
        assert alone.equals(together.filter(own=own).drop("own").sort("rank"))


def test_names_that_are_not_there_are_told(store: Store) -> None:
    """Vectors of no encoder, a k that is none, and a vector of a length that no encoder gives."""
    with pytest.raises(UnknownNameError, match="did you mean 'image'"):
        store.sql("FROM nearest_samples('s00', vectors := 'imag')")
    with pytest.raises(QueryError, match="k is 0"):
        store.sql("FROM nearest_samples('s00', k := 0)")
    with pytest.raises(QueryError, match="vectors of 2 numbers") as refused:
        store.sql("SELECT nearest_phrase([1, 2])")
    assert "outside (6)" in refused.value.hint


def test_the_phrase_nearest_to_a_vector(store: Store) -> None:
    """The report phrase whose samples lie in the vector's direction; phrases of metadata take no part."""
    asked = "SELECT sample_id, nearest_phrase(vector_of(sample_id, 'image')) AS p FROM images"
    found = dict(store.sql(asked).iter_rows())
    right = sum(found[f"s{i:02d}"] == ("chest drain in place" if i < 30 else "heart normal") for i in range(ROWS))
    assert right >= ROWS - 1
    assert found["without"] is None
    assert store.sql("SELECT nearest_phrase([0, 9, 0, 0, 0, 0]::FLOAT[6]) AS p").item() == "heart normal"
    assert store.sql("SELECT nearest_phrase('a-1') AS p").item() == "chest drain in place"


def test_without_phrases_or_vectors_there_is_no_nearest(tmp_path: Path, vectors: dict[str, np.ndarray]) -> None:
    """A store that was never audited has no phrase; one without vectors says how to make them."""
    plain = write_store(tmp_path / "a", [{"sample_id": name} for name in vectors], [], vectors=vectors)
    assert plain.sql("SELECT nearest_phrase(vector_of('s00', 'image')) AS p").item() is None
    bare = write_store(tmp_path / "b", [{"sample_id": "a"}], [])
    with pytest.raises(UnknownNameError) as refused:
        bare.sql("FROM nearest_samples('a')")
    assert "misread embed" in refused.value.hint
