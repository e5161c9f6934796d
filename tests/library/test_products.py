"""Products of vectors by numpy and by torch."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from misread import products
from misread.fitting import FusionFit
from misread.fuse import Block, Fusion
from misread.products import FEWEST, WORTH_A_DEVICE, Products, products_for

torch = pytest.importorskip("torch")
N, D = 1000, 60


def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (n, d) float32 far from 0, a centre (d,), weights (d, 5)."""
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((N, D)) + 30).astype(np.float32)
    return rows, rows.mean(axis=0, dtype=float), rng.standard_normal((D, 5))


def exact(rows: np.ndarray, center: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (rows.astype(np.longdouble) - center) @ weights


@pytest.mark.parametrize("device", [None, "cpu"])
def test_products_are_as_exact_as_their_type(device: str | None) -> None:
    """By numpy and by torch: what is float32 to the error of float32, what is scored to that of float64."""
    rows, center, weights = drawn()
    made = Products(device)
    assert made.gram(rows).dtype == np.float32
    wide = rows.astype(np.longdouble)
    unit = {"gram": np.finfo(np.float32).eps, "scored": np.finfo(float).eps}
    bound = N * unit["gram"] * (np.abs(wide).T @ np.abs(wide))
    assert (np.abs(made.gram(rows) - wide.T @ wide) <= bound).all()
    assert made.gram(rows.astype(float)) == pytest.approx((wide.T @ wide).astype(float), rel=1e-12)
    bound = 2 * D * unit["scored"] * (np.abs(wide - center) @ np.abs(weights) + 1)
    found = made.centered(rows, center, weights)
    assert found.dtype == np.float64
    assert (np.abs(found - exact(rows, center, weights)) <= bound).all()


@pytest.mark.parametrize("device", [None, "cpu"])
def test_no_rows_and_what_is_not_finite(device: str | None) -> None:
    """Of no rows come no numbers; NaN and infinity stay seen, in their own rows alone. Rows may be read-only."""
    rows, center, weights = drawn()
    made = Products(device)
    assert made.centered(rows[:0], center, weights).shape == (0, 5)
    assert made.centered(rows, center, weights[:, :0]).shape == (N, 0)
    assert not made.gram(rows[:0]).any()
    rows[7, 3], rows[200, 59] = np.nan, -np.inf
    rows.flags.writeable = False
    sound = np.isfinite(made.centered(rows, center, weights))
    assert (np.flatnonzero(~sound.all(axis=1)) == [7, 200]).all()
    assert not sound[[7, 200]].any()


def test_a_fusion_by_torch_is_that_by_numpy() -> None:
    """Fitted and fused by torch: float64 rows to 9 decimals, float32 rows to the error of float32."""
    rows, _, _ = drawn()
    for kind, error in ((np.float64, 1e-9), (np.float32, 1e-3)):
        block = {"image": Block(((rows - 30) / 1.2 ** np.arange(D)).astype(kind), np.ones(N, bool))}
        fits = [FusionFit(block, Products(device)) for device in (None, "cpu")]
        for fit in fits:
            fit.add(block)
        one, other = (fit.fusion(10) for fit in fits)
        assert one.transform(block) == pytest.approx(other.transform(block, Products("cpu")), abs=error)
        same = one.transform(block, Products("cpu"))
        assert one.transform(block) == pytest.approx(same, abs=1e-12)


def test_what_does_not_fit_is_tried_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that the device's memory holds give the same numbers; nothing is given up."""
    rows, center, weights = drawn()
    sizes = limited(monkeypatch, 300)
    made = Products("cpu")
    assert made.gram(rows.astype(float)) == pytest.approx(Products().gram(rows.astype(float)), rel=1e-12)
    assert made.centered(rows, center, weights) == pytest.approx(Products().centered(rows, center, weights), abs=1e-10)
    assert max(sizes) == N
    assert sorted({size for size in sizes if size <= 300}) == [250]
    assert made.device == "cpu"
    assert len(made.notes) == 1


def test_a_device_that_fails_is_given_up_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even few rows fit, numpy does what is left, and it is said once."""
    rows, center, weights = drawn()
    sizes = limited(monkeypatch, FEWEST // 4)
    made = Products("cpu")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: made.centered(rows, center, weights), range(8)))
    assert all((one == Products().centered(rows, center, weights)).all() for one in found)
    assert made.device is None
    assert len(made.notes) == 2
    assert "cpu was given up" in made.notes[1]
    assert "out of memory" in made.notes[1]
    assert min(sizes) >= FEWEST // 2


def limited(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """A device that holds no more than so many rows; how many it was asked to hold."""
    sizes: list[int] = []
    real = torch.from_numpy

    def from_numpy(array: np.ndarray) -> object:
        if array.shape[0] != D:  # the centre and the weights
            sizes.append(len(array))
            if len(array) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
        return real(array)

    monkeypatch.setattr(torch, "from_numpy", from_numpy)
    return sizes


def test_threads_share_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several threads at once get the same numbers, in whole precision; the precision they found is left as it was."""
    rows, center, weights = drawn()
    made = Products("cpu")
    alone = made.centered(rows, center, weights)
    seen = set()
    real = torch.from_numpy
    monkeypatch.setattr(torch, "from_numpy", lambda a: seen.add(torch.get_float32_matmul_precision()) or real(a))
    torch.set_float32_matmul_precision("high")
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: made.centered(rows, center, weights), range(16)))
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert seen == {"highest"}
    assert all((one == alone).all() for one in found)


def test_a_device_is_chosen_where_there_is_one_and_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA for large work where torch finds it; else numpy: for small work, without a GPU, without torch."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert products_for(WORTH_A_DEVICE).device is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    made = products_for(WORTH_A_DEVICE)
    assert made.device == "cuda"
    assert made.notes == ["products of vectors were worked out by torch on cuda"]
    assert products_for(WORTH_A_DEVICE / 2).device is None
    monkeypatch.setattr(products, "find_spec", lambda _: None)
    assert products_for(WORTH_A_DEVICE).device is None


def test_a_gpu_that_does_not_answer_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch tells of CUDA and cannot use it: numpy works, and a note says why."""

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: all devices are busy\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "empty", refuse)
    made = products_for(WORTH_A_DEVICE)
    assert made.device is None
    (note,) = made.notes
    assert "all devices are busy" in note
    assert "more" not in note


def test_another_process_works_by_numpy() -> None:
    """What is sent to another process knows no device; a fit and a fusion can be sent."""
    assert pickle.loads(pickle.dumps(Products("cpu"))).device is None
    rows, _, _ = drawn()
    block = {"image": Block(rows, np.ones(N, bool))}
    fit = FusionFit(block, Products("cpu"))
    fit.add(block)
    sent: Fusion = pickle.loads(pickle.dumps(fit)).fusion()
    assert (sent.transform(block) == fit.fusion().transform(block)).all()


def test_small_work_does_not_load_torch() -> None:
    """An audit's products are chosen and worked out without torch where there is little to do."""
    code = (
        "import sys, numpy as np\n"
        "from misread.products import products_for\n"
        "made = products_for(1e9)\n"
        "made.gram(np.ones((3, 2))); made.centered(np.ones((3, 2)), np.ones(2), np.ones((2, 1)))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
