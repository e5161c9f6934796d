from dataclasses import replace

import numpy as np
import pytest

from misread.demo import Appearance, draw
from misread.demo.anatomy import anatomy_of
from misread.demo.appearance import SIDES, VIEWS, Side

PLAIN = Appearance(body=3, age=48)
SIZE = 256


def changed(appearance: Appearance, base: Appearance = PLAIN, seed: int = 11) -> np.ndarray:
    return np.abs(draw(appearance, seed).astype(int) - draw(base, seed).astype(int))


def half(picture: np.ndarray, side: Side) -> np.ndarray:
    """The patient's right lies on the left of the picture."""
    middle = picture.shape[1] // 2
    return picture[:, :middle] if side == "right" else picture[:, middle:]


def other(side: Side) -> Side:
    return "left" if side == "right" else "right"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [64, 128, 256])
def test_a_film_is_a_square_of_bytes_that_uses_the_grey_scale(view: str, size: int) -> None:
    """Any view at any size is a uint8 square with dark and bright parts."""
    film = draw(replace(PLAIN, view=view), 1, size)
    assert film.shape == (size, size)
    assert film.dtype == np.uint8
    assert film.std() > 30


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    """A film is a function of appearance, seed and size alone."""
    shown = replace(PLAIN, drain_side="left", leads=True, consolidation_side="right")
    np.random.default_rng().random(7)
    assert draw(shown, 5).tobytes() == draw(shown, 5).tobytes()
    assert draw(shown, 5).tobytes() != draw(shown, 6).tobytes()


def test_lungs_are_darker_than_the_heart_and_the_air_outside_is_darkest() -> None:
    """Air lets the beam through: open air < lung < mediastinum."""
    film = draw(PLAIN, 2).astype(float)
    body = anatomy_of(PLAIN, SIZE)
    rows = slice(int(0.45 * SIZE), int(0.6 * SIZE))
    lung = film[rows][(body.lungs > 0.99)[rows]].mean()
    heart = film[rows, SIZE // 2 - 8 : SIZE // 2 + 8].mean()
    assert film[:8, :8].mean() + 20 < lung < heart - 60


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("field", ["pneumothorax", "effusion", "consolidation", "nodule", "drain"])
def test_what_lies_on_one_side_changes_that_side(field: str, side: Side) -> None:
    """A sided finding or device changes its own half of the film and leaves the other half alone."""
    difference = changed(replace(PLAIN, **{f"{field}_side": side}))
    assert half(difference, side).max() >= 15
    assert half(difference, side).sum() > 20 * half(difference, other(side)).sum()


@pytest.mark.parametrize("field", ["cardiomegaly", "leads", "pacemaker", "tube", "gastric_tube"])
def test_each_yes_or_no_field_can_be_seen(field: str) -> None:
    """Switching a field on changes the film visibly, in more than a few pixels."""
    difference = changed(replace(PLAIN, **{field: True}))
    assert (difference > 12).sum() > 40


@pytest.mark.parametrize(
    "change",
    [{"sex": "F"}, {"habitus": "large"}, {"inspiration": 0.2}, {"rotation": 1.0}, {"exposure": -1.0},
     {"scanner": "B"}, {"view": "AP"}, {"marker": "R"}, {"body": 4}, {"line_side": "right"}],
)  # fmt: skip
def test_every_other_field_can_be_seen(change: dict) -> None:
    """No field of an appearance is without effect on the film."""
    assert (changed(replace(PLAIN, **change)) > 8).sum() > 30


def test_a_pneumothorax_empties_the_lung_beside_the_wall() -> None:
    """Beyond the pleural line the film is darker and smoother than the same lung without pneumothorax."""
    ill = replace(PLAIN, pneumothorax_side="right", pneumothorax_size=0.45)
    body = anatomy_of(PLAIN, SIZE)
    strip = (body.across < 0) & (body.lungs > 0.99) & (body.off > 0.86 * body.wall)
    strip &= (body.depth > 0.3) & (body.depth < 0.6)
    assert draw(ill, 4)[strip].mean() < draw(PLAIN, 4)[strip].mean() - 5


def test_a_drain_runs_from_outside_the_chest_into_the_lung() -> None:
    """A drain's bright pixels reach from beyond the chest wall to the inner lung."""
    difference = changed(replace(PLAIN, drain_side="left")) > 15
    columns = np.flatnonzero(difference.any(axis=0)) / SIZE
    assert columns.max() > 0.88
    assert columns.min() < 0.75


def test_underexposure_whitens_the_film() -> None:
    """Less exposure leaves a whiter film, more a darker one."""
    means = [draw(replace(PLAIN, exposure=e), 9).mean() for e in (-1.0, 0.0, 1.0)]
    assert means[0] > means[1] > means[2]


def test_the_older_scanner_is_noisier_and_softer_in_contrast() -> None:
    """Scanner B has more grain and a narrower grey scale than A."""
    old, new = (draw(replace(PLAIN, scanner=s), 3).astype(float) for s in "BA")
    belly = np.s_[-30:, 90:166]
    assert np.diff(old[belly], axis=1).std() > 1.3 * np.diff(new[belly], axis=1).std()
    assert np.ptp(np.percentile(old, [2, 98])) < np.ptp(np.percentile(new, [2, 98]))


@pytest.mark.parametrize("wrong", [{"sex": "X"}, {"drain_side": "up"}, {"rotation": 2.0}, {"view": "lateral"}])
def test_an_impossible_appearance_is_refused(wrong: dict) -> None:
    """A field outside its choices or range is refused by name."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Appearance(**wrong)


def test_a_film_too_small_to_show_anything_is_refused() -> None:
    """Sizes below 64 are refused."""
    with pytest.raises(ValueError, match="64"):
        draw(PLAIN, 0, 32)
