"""`tfidf`: reports that say the same are near, whatever store they were fitted in."""

import csv
from itertools import pairwise

import numpy as np
import pytest
from encode.encode_inputs import DATA, REPORT_TEXTS
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.encode.tfidf import DIMENSION, TfidfEncoder, TfidfFitter, normalised
from misread.schemas.errors import MisreadError

FITTER = TfidfFitter()


def fitted(texts: list[str]) -> TfidfEncoder:
    return FITTER.from_arrays(FITTER.fit(texts))


ENCODER = fitted(list(REPORT_TEXTS))


def test_a_vector_does_not_depend_on_its_batch() -> None:
    """One by one, all at once, backwards: bit for bit the same vectors, of unit length."""
    texts = list(REPORT_TEXTS)
    whole = ENCODER.encode(texts)
    assert whole.dtype == np.float32
    assert whole.shape == (8, ENCODER.dimension)
    np.testing.assert_array_equal(whole, np.concatenate([ENCODER.encode([text]) for text in texts]))
    np.testing.assert_array_equal(whole[::-1], ENCODER.encode(texts[::-1]))
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)


@settings(max_examples=10)
@given(order=st.permutations(REPORT_TEXTS), again=st.lists(st.sampled_from(REPORT_TEXTS), max_size=4))
def test_a_fit_depends_on_the_set_of_texts_alone(order: list[str], again: list[str]) -> None:
    """Neither the order of the texts nor how often one occurs shows in what is fitted."""
    first, second = FITTER.fit(REPORT_TEXTS), FITTER.fit(order + again)
    assert list(first) == list(second) == ["terms", "weights", "components"]
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


def test_what_is_fitted_holds_no_objects() -> None:
    """The model is plain arrays that a store keeps without pickle."""
    for array in FITTER.fit(REPORT_TEXTS).values():
        assert array.dtype in (np.uint8, np.float32)


@pytest.mark.parametrize(
    ("texts", "dimension"),
    [
        ([], 1), ([""], 1), (["   ", "\n"], 1), (["...", "?!"], 1), (["one report"], 1), (["same", "same"], 1),
        (["no effusion", "effusion"], 1), (["12", "7.5", "2020-01-01"], 1), (["气胸", "右侧气胸", "胸腔积液"], 2),
        (["плевральный выпот", "норма"], 1), (["ปอดปกติ", "หัวใจโต"], 1), (["🫁", "🫀"], 1),
        (["a b c d e f g h", "a b c d e f g h i", "a b", "h i"], 3),
    ],
)  # fmt: skip
def test_whatever_the_texts_the_vectors_are_finite(texts: list[str], dimension: int) -> None:
    """The degenerate table: few, equal, empty, wordless texts, numbers, other scripts."""
    encoder = fitted(texts)
    assert encoder.dimension == dimension
    vectors = encoder.encode([*texts, "", "quite other words", "effusion"])
    assert vectors.shape == (len(texts) + 3, dimension)
    assert np.isfinite(vectors).all()
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-5))
    assert not vectors[-3].any()
    assert encoder.encode([]).shape == (0, dimension)


def test_scripts_without_blanks_are_read_by_character() -> None:
    """Chinese reports that share a finding are nearer than those that do not."""
    encoder = fitted(["右侧气胸", "左侧气胸", "胸腔积液", "心影增大", "两肺纹理清晰"])
    right, left, fluid = encoder.encode(["右侧气胸", "左侧气胸", "胸腔积液"])
    assert right @ left > right @ fluid + 0.1


def test_a_report_of_a_megabyte_is_a_report() -> None:
    """Length is no fault: neither many words nor one endless word."""
    long = " ".join(REPORT_TEXTS * 2500)
    assert len(long) > 1_000_000
    encoder = fitted([*REPORT_TEXTS, long, "x" * 1_000_000, "ab" * 500_000])
    vectors = encoder.encode([long, "ab" * 500_000, *REPORT_TEXTS])
    assert np.isfinite(vectors).all()
    assert encoder.encode([" ".join(REPORT_TEXTS)])[0] @ vectors[0] > 0.9


def test_negation_changes_a_report() -> None:
    """`no effusion` is nearer to itself than to `effusion`."""
    texts = ["no pleural effusion", "pleural effusion", "no pneumothorax", "pneumothorax", *REPORT_TEXTS]
    without, with_, *_ = fitted(texts).encode(texts)
    assert without @ with_ < 0.95


def test_spelling_that_says_the_same_is_the_same() -> None:
    """Case, Unicode form, the numbers themselves and blanked-out words do not count."""
    assert normalised("The NODULE is 12.5 x 3 mm, XXXX ﬁbrosis") == normalised("the nodule is 7 x 40,5 mm,   fibrosis")
    pairs = [("A 4 cm Nodule.", "a 11 CM nodule"), ("tube 2020-01-03", "TUBE 2019-11-30"), ("café", "CAFE\u0301")]
    for one, other in pairs:
        first, second = fitted([one, *REPORT_TEXTS]).encode([one, other])
        np.testing.assert_array_equal(first, second)


def test_words_never_seen_count_nothing() -> None:
    """A text of unknown words is all 0, and unknown words beside known ones change little else."""
    unknown, known, both = ENCODER.encode(["zzz qqq", "chest tube", "chest tube zzz"])
    assert not unknown.any()
    np.testing.assert_allclose(known, both, atol=1e-6)


def test_dimension_is_bounded_and_no_larger_than_the_texts_vary() -> None:
    """At most 128 numbers, and one less than there are different texts."""
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(200)]
    assert fitted([f"{a} {b}" for a, b in pairwise(words)]).dimension == DIMENSION
    assert ENCODER.dimension == len(REPORT_TEXTS) - 1


@pytest.mark.parametrize("drop", ["terms", "weights", "components"])
def test_arrays_of_another_making_are_refused(drop: str) -> None:
    """A model that lacks a part, or whose parts do not fit together, is an error with the way out."""
    arrays = FITTER.fit(REPORT_TEXTS)
    with pytest.raises(MisreadError, match="does not fit") as caught:
        FITTER.from_arrays(arrays | {drop: arrays[drop][:3]})
    assert "--refit" in caught.value.hint
    with pytest.raises(MisreadError, match=drop):
        FITTER.from_arrays({name: array for name, array in arrays.items() if name != drop})


def test_real_reports_tell_their_findings() -> None:
    """A linear probe on real reports tells those with cardiomegaly."""
    path = DATA / "indiana-reports" / "reports.csv"
    if not path.exists():
        pytest.skip("needs ../shared/data/indiana-reports")
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    rows = list(csv.DictReader(path.read_text().splitlines()))[:1500]
    texts = [f"{row['findings']} {row['impression']}" for row in rows]
    found = np.array(["Cardiomegaly" in row["problems"] for row in rows])
    vectors = fitted(texts[:1000]).encode(texts)
    probe = LogisticRegression(C=100).fit(vectors[:1000], found[:1000])
    assert roc_auc_score(found[1000:], probe.decision_function(vectors[1000:])) > 0.9
