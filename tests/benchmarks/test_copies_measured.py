"""The benchmark of copies tells what is near its original, and what is not."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from benchmarks import copies


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> copies.Films:
    """20 pictures of 14 patients; a patient's second picture is the first one, hardly changed."""
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(20):
        if number < 14:
            greys = rng.integers(40, 200, (12, 12)).astype(np.uint8)
        else:
            greys = np.asarray(Image.open(folder / f"{number - 14}.png").resize((12, 12), Image.Resampling.BOX)) + 1
        Image.fromarray(greys).resize((200, 200), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
        rows.append({"sample_id": f"s{number:02d}", "patient_id": f"p{number % 14}", "image": f"{number}.png"})
    pl.DataFrame(rows).write_csv(folder / "metadata.csv")
    return copies.read(folder)


def test_ratios_are_to_the_usual_distance(films: copies.Films) -> None:
    """Of films of others the median is 1, of the same patient's small, and what is known as a copy is left out."""
    assert np.median(copies.of_others(films)) == pytest.approx(1)
    same = copies.of_one_patient(films)
    assert len(same) == 12
    assert same.max() < 0.5 < copies.of_others(films).min()


def test_what_is_saved_anew_is_found_and_what_is_mirrored_is_not(films: copies.Films) -> None:
    """All ways of copying can be measured; those that change little are nearer than those that change much."""
    found = {name: copies.copied(films, change) for name, change in copies.CHANGES.items()}
    own, share = copies.copied(films, copies.saved)
    assert own.max() < 1e-3
    assert share == 1
    assert np.median(found["JPEG, quality 90"][0]) < np.median(found["5 % cropped off each side"][0])
    assert found["JPEG, quality 90"][1] > 0.5 > found["mirrored"][1]
    deep = copies.copied(films, copies.windowed, copies.deep)[0]
    assert np.median(deep) < np.median(found["12 bits, windowed to 8"][0])


def test_a_table_has_every_row(films: copies.Films) -> None:
    assert copies.measured("films", films).row_count == len(copies.CHANGES) + 2
