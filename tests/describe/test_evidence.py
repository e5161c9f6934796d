"""What held-out rows say of a phrase."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, hypergeom, mannwhitneyu, norm
from statsmodels.stats.multitest import multipletests

from misread.describe import chosen_words, contrast, word_bank
from misread.discover import counted, more_often_p_value, one_row_each, strata
from misread.execute.evidence import nearness_evidence, phrase_evidence, with_q_values
from stores import clustered_wilson

RNG = np.random.default_rng(3)
ROWS = 240
INSIDE = RNG.random(ROWS) < 0.3
HAS = RNG.random(ROWS) < np.where(INSIDE, 0.6, 0.2)
ALONE = np.arange(ROWS)
REPEATED = np.sort(RNG.integers(0, 90, ROWS))


@pytest.mark.parametrize("patients", [ALONE, REPEATED], ids=["alone", "repeated"])
def test_evidence_is_counted_by_hand(patients: np.ndarray) -> None:
    """Rows, patients, rates with their intervals and lift are what counting gives."""
    found = phrase_evidence(HAS, INSIDE, patients)
    assert found["rows_inside"] == (HAS & INSIDE).sum()
    for side, there in (("inside", INSIDE), ("outside", ~INSIDE)):
        assert found[f"patients_{side}"] == len(set(patients[HAS & there].tolist()))
        assert found[f"lacking_{side}"] == len(set(patients[~HAS & there].tolist()))
    assert found["rate_inside"] == HAS[INSIDE].mean()
    assert found["rate_outside"] == HAS[~INSIDE].mean()
    expected = clustered_wilson(HAS[INSIDE].tolist(), patients[INSIDE].tolist())
    assert (found["rate_inside_low"], found["rate_inside_high"]) == pytest.approx(expected)
    assert found["lift"] == pytest.approx(HAS[INSIDE].mean() / HAS[~INSIDE].mean())
    assert found["lift_low"] < found["lift"] < found["lift_high"]


def test_the_p_value_is_fishers_on_one_row_a_patient() -> None:
    """A patient counts once: inside if any row is, with one of its rows there. All have as many rows: Fisher's test."""
    patients = np.repeat(np.arange(80), 3)
    some = INSIDE & (RNG.random(ROWS) < 0.4)
    found = phrase_evidence(HAS, some, patients)
    one = one_row_each(some, patients)
    assert patients[one].tolist() == list(range(80))
    assert some[one].tolist() == some.reshape(80, 3).any(axis=1).tolist()
    has, inside = HAS[one], some[one]
    table = [[(has & inside).sum(), (~has & inside).sum()], [(has & ~inside).sum(), (~has & ~inside).sum()]]
    assert found["p_value"] == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


@pytest.mark.parametrize("sizes", [[5] * 240, [1] * 200 + [10] * 40, list(range(5, 65))])
def test_a_slice_that_nearly_every_patient_has_a_row_in_is_told(sizes: list[int]) -> None:
    """Of a slice of 70 % of rows, what is said of its rows more often is found; what is said of all alike is not, nor
    what is said more often of patients with many rows."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(len(sizes)), sizes)
    found, false = 0, 0
    for _ in range(100):
        inside, draw = rng.random(len(patients)) < 0.7, rng.random(len(patients))
        share = np.where(np.array(sizes)[patients] > 5, 0.6, 0.2)
        found += phrase_evidence(draw < share + 0.35 * inside, inside, patients)["p_value"] <= 0.05
        false += phrase_evidence(draw < share, inside, patients)["p_value"] <= 0.05
    assert found > 60
    assert false <= 12  # 5 expected; more than 12 in 1 of 700 runs


def test_among_patients_of_different_numbers_of_rows_the_test_is_stratified() -> None:
    """Against every table that the margins of two strata allow."""
    hits, inside, having, total = np.array([2, 3]), np.array([4, 5]), np.array([3, 6]), np.array([9, 8])
    each = [hypergeom(m, k, n) for m, k, n in zip(total, having, inside, strict=True)]
    expected = sum(each[0].pmf(a) * each[1].pmf(b) for a in range(5) for b in range(6) if a + b >= 5)
    assert more_often_p_value(hits, inside, having, total) == pytest.approx(expected)
    assert more_often_p_value(hits[:1], inside[:1], having[:1], total[:1]) == pytest.approx(each[0].sf(1))


@pytest.mark.parametrize("tested", ["phrase", "nearness", "word"])
def test_what_patients_of_many_films_have_tells_no_slice_of_random_films(
    tested: str,
) -> None:
    """Of random rows the patients of many are inside more often; what is said of them is no more frequent there."""
    rng = np.random.default_rng(1)
    patients = np.repeat(np.arange(240), np.r_[np.ones(200, int), np.full(40, 10)])
    share = np.where(patients >= 200, 0.6, 0.2)
    background = np.array([20, 80])
    false = 0
    for _ in range(200):
        has, inside = rng.random(len(patients)) < share, rng.random(len(patients)) < 0.1
        if tested == "phrase":
            p = phrase_evidence(has, inside, patients)["p_value"]
        elif tested == "nearness":
            p = nearness_evidence(2 * share + rng.normal(size=len(patients)), inside, patients)["p_value"]
        else:
            one = one_row_each(inside, patients)
            stratum = strata(patients)[one]
            mine, others = (
                np.stack([counted((side & word)[one], stratum) for word in (has, ~has)], axis=1)
                for side in (inside, ~inside)
            )
            p = norm.sf(contrast(mine, others, background)[0])
        false += p <= 0.05
    assert false <= 20  # 10 expected; more than 20 in 1 of 600 runs


def test_rows_that_repeat_are_no_evidence() -> None:
    """A patient's film stored twenty times over says no more than once."""
    once = phrase_evidence(HAS, INSIDE, ALONE)
    often = phrase_evidence(np.repeat(HAS, 20), np.repeat(INSIDE, 20), np.repeat(ALONE, 20))
    for name in ("p_value", "z_score", "rate_inside_low", "rate_inside_high", "lift_low", "lift_high"):
        assert often[name] == pytest.approx(once[name])


@pytest.mark.parametrize("inside", [np.zeros(6, bool), np.ones(6, bool)])
def test_without_two_sides_nothing_is_tested(inside: np.ndarray) -> None:
    """No row inside, or none outside: no p-value, and none counts among the tests."""
    rows = [phrase_evidence(np.ones(6, bool), inside, np.arange(6)), {"p_value": 0.01}]
    assert [row["q_value"] for row in with_q_values(rows)] == [None, 0.01]


def test_q_values_are_over_every_phrase_of_the_audit() -> None:
    """Benjamini and Hochberg's over all rows given, whichever slice they are of."""
    rng = np.random.default_rng(2)
    p = rng.random(30) ** 3
    expected = multipletests(p, method="fdr_bh")[1]
    assert [row["q_value"] for row in with_q_values([{"p_value": x} for x in p])] == pytest.approx(expected)
    assert with_q_values([]) == []


def test_nobody_outside_leaves_no_ratio_and_nobody_inside_a_ratio_of_nothing() -> None:
    """lift is NULL where nobody outside has it, 0 (with an upper end) where nobody inside has."""
    inside = np.arange(40) < 20
    assert phrase_evidence(inside, inside, np.arange(40))["lift"] is None
    none = phrase_evidence(~inside, inside, np.arange(40))
    assert (none["lift"], none["lift_low"], none["p_value"]) == (0.0, 0.0, 1.0)
    assert none["lift_high"] > 0


def test_nearness_is_tested_by_ranks() -> None:
    """Rows inside that lie nearer to a phrase are evidence; the same rows in any order of magnitude are as much."""
    rng = np.random.default_rng(3)
    near = INSIDE + rng.random(ROWS)
    found = nearness_evidence(near, INSIDE, ALONE)
    assert found["p_value"] < 1e-6
    assert found == nearness_evidence(np.exp(near), INSIDE, ALONE)
    assert nearness_evidence(-near, INSIDE, ALONE)["p_value"] > 0.99
    expected = mannwhitneyu(near[INSIDE], near[~INSIDE], alternative="greater", method="asymptotic").pvalue
    assert found["p_value"] == pytest.approx(expected)
    tied = np.round(near, 1)
    expected = mannwhitneyu(tied[INSIDE], tied[~INSIDE], alternative="greater").pvalue
    assert nearness_evidence(tied, INSIDE, ALONE)["p_value"] == pytest.approx(expected)
    assert nearness_evidence(near[:0], INSIDE[:0], ALONE[:0]) == {}


def test_random_slices_have_no_phrase() -> None:
    """At most 5 % of random slices have a phrase with p < .05, even where both cling to patients."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(150), 3)
    habit = rng.random(150) < 0.4
    false = 0
    for _ in range(400):
        inside = (rng.random(150) < 0.2)[patients]
        false += phrase_evidence(habit[patients], inside, patients)["p_value"] < 0.05
    assert false <= 32  # 20 expected at most; more than 32 in 1 of 200 runs of a test that holds its level


def test_contrast_is_the_weighted_log_odds_with_the_prior() -> None:
    """Against the formula of Monroe et al. written out word by word; swapping the sides turns the sign."""
    inside, outside, background = (np.array(x) for x in ([9, 2, 0, 30], [10, 40, 5, 60], [50, 100, 20, 330]))
    prior = 500 * background / background.sum()
    changes, variances = [], []
    for y, x, a in zip(inside, outside, prior, strict=True):
        n, m, total = inside.sum(), outside.sum(), prior.sum()
        changes.append(np.log((y + a) / (n + total - y - a)) - np.log((x + a) / (m + total - x - a)))
        variances.append(1 / (y + a) + 1 / (x + a))
    expected = np.array(changes) / np.sqrt(variances)
    assert contrast(inside[None], outside[None], background) == pytest.approx(expected)
    assert contrast(outside[None], inside[None], background) == pytest.approx(-expected)
    nobody = np.zeros((1, 4), int)
    assert contrast(nobody, outside[None], background).tolist() == [0, 0, 0, 0]
    one = np.array([[5]])
    assert contrast(one, 2 * one, one[0]).tolist() == [0]  # of one word alone all shares are 1
    with_nobody = np.concatenate([inside[None], nobody]), np.concatenate([outside[None], nobody])
    assert contrast(*with_nobody, background) == pytest.approx(expected)


def test_contrast_words_are_those_of_the_slice() -> None:
    """Words and pairs that reports inside use more, the most telling first; pairs cross no punctuation."""
    texts = [f"{'Zebra stripes' if INSIDE[row] else 'Plain'}, lungs clear. Film {row}" for row in range(ROWS)]
    bank = word_bank(ROWS, lambda: list(enumerate(texts)), np.ones(ROWS, bool))
    assert "stripes lungs" not in bank.items
    mine, others = bank.counts(INSIDE)[None], bank.counts(~INSIDE)[None]
    found = [bank.items[i] for i in chosen_words(mine, others, (mine + others)[0])]
    assert found == ["stripes", "zebra", "zebra stripes"]
