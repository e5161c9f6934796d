"""Every peer: finds what is plain to see, and survives what cannot be audited."""

import numpy as np
import pytest
from benchmark_audits import audit_of, planted

from benchmarks.peers import METHODS, method

FINDERS = {"ours": 2, "domino": 5, "kmeans": 2, "spotlight": 2, "george": 2}
"""How many draws each is tried on: Domino misses the slice in some."""


def fitted(name, audit):
    if name == "sliceline":
        pytest.importorskip("sliceline")
    return method(name).fit(audit, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "draws"), FINDERS.items())
def test_an_easy_slice_is_found(name: str, draws: int) -> None:
    """On rows never seen, one of a method's five slices has the planted group on top, in most draws."""
    reached = []
    for seed in range(draws):
        audit, _ = planted(seed)
        held, group = planted(100 + seed)
        scores = fitted(name, audit).score(held, True)
        reached.append(max((group[np.argsort(-column, kind="stable")[:10]].mean() for column in scores.T), default=0.0))
    assert np.mean(reached) >= 0.6


def test_sliceline_reads_metadata() -> None:
    """The column that names the group is found."""
    audit, _ = planted(1)
    held, group = planted(2)
    assert (fitted("sliceline", audit).members(held, True)[:, 0] == group).mean() > 0.95


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    "case", ["as planned", "no errors", "only errors", "one class", "few rows", "one row", "all equal"]
)
def test_every_answer_has_its_shape(name: str, case: str) -> None:
    """At most five slices of finite scores, whatever the rows; members are rows of the audit."""
    audit, _ = planted(3, rows=300)
    vectors, label, score = audit.blocks["image"].rows, audit.label, audit.score
    if case == "no errors":
        score = np.where(label == 1, 0.9, 0.1)
    elif case == "only errors":
        score = np.where(label == 1, 0.1, 0.9)
    elif case == "one class":
        label = np.ones_like(label)
    elif case == "all equal":
        vectors = np.ones_like(vectors)
    changed = audit_of(vectors, label, score, audit.metadata)
    kept = {"few rows": 7, "one row": 1}.get(case, len(audit))
    held, _ = planted(4, rows=50)
    found = fitted(name, changed.take(np.arange(kept)))
    for known in (True, False):
        scores, members = found.score(held, known), found.members(held, known)
        assert scores.shape == members.shape
        assert scores.shape[0] == 50
        assert scores.shape[1] <= 5
        assert np.isfinite(scores).all()
        assert members.dtype == bool


@pytest.mark.parametrize("name", [n for n in METHODS if n not in ("confusion", "domino")])
def test_rows_of_another_class_come_last_where_labels_are_known(name: str) -> None:
    """A slice lies in one true class: the best rows are of that class, wrong ones ahead of right ones nearby."""
    audit, _ = planted(5)
    scores = fitted(name, audit).score(audit, True)
    for column in scores.T:
        best = np.argsort(-column, kind="stable")[:20]
        assert len(np.unique(audit.label[best])) == 1


def test_an_unknown_method_names_those_there_are() -> None:
    with pytest.raises(ValueError, match="no method dominos; there are ours, domino"):
        method("dominos")
