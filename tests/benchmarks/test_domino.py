"""The Domino mixture behaves as published."""

import numpy as np
import pytest
from benchmark_audits import planted

from benchmarks.peers.domino import Domino, Mixture, maximise, one_hot, soft, start


def steps(weight: float, hard: bool, count: int = 12) -> tuple[list[float], list[np.ndarray], Mixture]:
    """Mean log-likelihood and responsibilities of the first iterations of EM."""
    audit, _ = planted(1)
    z, y = audit.blocks["image"].rows, one_hot(audit.label)
    yhat = one_hot(audit.predicted) if hard else soft(audit.score)
    given, likelihoods, all_given = start(y, yhat, 10, 1.0, 0), [], []
    for _ in range(count):
        model = maximise(given, z, y, yhat)
        joint = model.joint(z, y, yhat, weight)
        total = np.logaddexp.reduce(joint, axis=1)
        given = np.exp(joint - total[:, None])
        likelihoods.append(float(total.mean()))
        all_given.append(given)
    return likelihoods, all_given, model


def test_posterior_sums_to_one() -> None:
    """Over all components, with and without labels."""
    audit, _ = planted(1)
    found = Domino().fit(audit, 0)
    for known in (True, False):
        assert np.exp(found.log_posterior(audit, known)).sum(axis=1) == pytest.approx(1.0)


def test_slices_are_ranked_by_how_far_predictions_lie_from_labels() -> None:
    """|q_s - p_s|, the largest first; five of them."""
    audit, _ = planted(1)
    found = Domino().fit(audit, 0)
    apart = np.abs(found.model.predictions - found.model.labels).sum(axis=1)
    assert len(found.chosen) == 5
    assert apart[found.chosen].tolist() == sorted(apart, reverse=True)[:5]


def test_start_is_the_confusion_cell_and_noise() -> None:
    """Rows sum to one; without noise a row lies in the components of its own cell alone."""
    y, yhat = one_hot(np.array([0, 1, 1])), one_hot(np.array([0, 0, 1]))
    plain = start(y, yhat, 25, 0.0, 0)
    assert plain.sum(axis=1) == pytest.approx(1.0)
    cells = np.array([0, 2, 3])
    for row, cell in zip(plain, cells, strict=True):
        assert set(np.flatnonzero(row) % 4) == {cell}
    noisy = start(y, yhat, 25, 1.0, 0)
    assert noisy.sum(axis=1) == pytest.approx(1.0)
    assert (noisy > 0).all()


def test_powers_enter_the_e_step_only() -> None:
    """The M-step's tables are responsibility-weighted averages whatever the weight."""
    audit, _ = planted(1)
    z, y, yhat = audit.blocks["image"].rows, one_hot(audit.label), soft(audit.score)
    given = start(y, yhat, 6, 1.0, 0)
    model = maximise(given, z, y, yhat)
    mass = given.sum(axis=0)
    assert model.labels == pytest.approx(given.T @ y / mass[:, None])
    assert model.predictions == pytest.approx(given.T @ yhat / mass[:, None])
    assert model.shares == pytest.approx(mass / mass.sum())
    spread = np.stack([np.average((z - m) ** 2, axis=0, weights=w) for m, w in zip(model.means, given.T, strict=True)])
    assert model.variances == pytest.approx(spread + 1e-6)
    one, ten = (model.joint(z, y, None, weight) - model.joint(z, None, None, weight) for weight in (1.0, 10.0))
    assert ten == pytest.approx(10 * one)


@pytest.mark.parametrize("weight", [1.0, 10.0])
def test_likelihood_rises(weight: float) -> None:
    """With predictions of one class each, EM never goes down."""
    likelihoods, _, _ = steps(weight, hard=True)
    assert (np.diff(likelihoods) > -1e-6).all()
    assert likelihoods[-1] > likelihoods[0]


def test_posterior_odds_rank_rows_as_the_posterior() -> None:
    """Where the posterior is not rounded to 0 or 1, both give one order."""
    audit, _ = planted(1)
    found = Domino().fit(audit, 0)
    posterior = np.exp(found.log_posterior(audit, True))[:, found.chosen[0]]
    between = (posterior > 1e-6) & (posterior < 1 - 1e-6)
    odds = found.score(audit, True)[:, 0]
    assert (np.argsort(odds[between]) == np.argsort(posterior[between])).all()
