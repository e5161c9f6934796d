"""Audited stores whose names, reports and metadata try to do harm, and pages in a browser."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import ExifTags, Image, PngImagePlugin

import misread as mr
from misread.library import Store
from misread.report import Report, mapping
from misread.schemas.tables import CHECKSUM
from stores import VIEW, planted_store, write_store

MARKUP = '</script><script>window.harmed = 1</script><img src=x onerror="window.harmed = 1"><b>bold</b>'
RIGHT_TO_LEFT = "لا يوجد أنبوب صدري في هذه الصورة"
LONG = "a very long note indeed it is " * 350
FILMS = 400
BESIDE = "DOE^JANE"
"""Text that every picture carries beside its pixels."""
PLANE = mapping._plane
ODD = ("<i>", "../..", 'q"uote', "a b", "*_`#")


def picture(seed: int) -> bytes:
    stream = BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (40, 30), dtype=np.uint8)
    beside = PngImagePlugin.PngInfo()
    beside.add_text("PatientName", BESIDE)
    described = Image.Exif()
    described[ExifTags.Base.ImageDescription] = BESIDE
    Image.fromarray(noise).save(stream, "PNG", pnginfo=beside, exif=described)
    return stream.getvalue()


def name_of(film: int) -> str:
    """Ids as odd as files are called."""
    return ODD[film % len(ODD)] + f"{film}.png"


@pytest.fixture(scope="module", autouse=True)
def flat_maps() -> Iterator[None]:
    """Where a map puts its points is not asked of most reports, and takes most of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "_plane", lambda vectors, seed: np.pad(vectors, ((0, 0), (0, 1)))[:, :2])
        yield


@contextlib.contextmanager
def drawn_maps() -> Iterator[None]:
    """Maps as users have them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "_plane", PLANE)
        yield


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Every film has a picture and a report; a slice of positives is mostly missed; a person has judged it."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((FILMS, 12))
    group = rng.random(FILMS) < 0.3
    vectors[group, 0] += 4
    images, predictions, reports = [], [], []
    for film in range(FILMS):
        content = picture(film)
        images.append(
            {
                "sample_id": name_of(film),
                "patient_id": f"p{film}",
                "picture": content,
                "sha256": sha256(content).hexdigest(),
                "media_type": "image/png",
                "view": MARKUP if group[film] else "PA",
            }
        )
        label = int(rng.random() < 0.5)
        wrong = rng.random() < (0.75 if label and group[film] else 0.1)
        score = 0.8 if bool(label) != wrong else 0.2
        prediction = {"model": f"net {MARKUP}", "target": "Pneumothorax", "label": label, "score": score}
        predictions.append({"sample_id": name_of(film), "threshold": 0.5, **prediction})
        text = (MARKUP, RIGHT_TO_LEFT, LONG)[film % 3]
        reports.append({"sample_id": name_of(film), "report": f"{text} No chest tube was seen in film {film}."})
    location: Path = tmp_path_factory.mktemp("hostile") / "store"
    vector_of = {name_of(film): vectors[film] for film in range(FILMS)}
    store = write_store(location, images, predictions, vectors=vector_of, reports=reports, metadata=[VIEW])
    mr.open(location).scan().fuse(modalities=["image"]).discover(permutations=0, stability=2).sink("November")
    store = mr.open(location)
    slice_id = store.sql("SELECT min(slice_id) FROM slices").item()
    store.judge(slice_id, "artefact", judged_by=f"A. Reader {MARKUP}", note=reports[2]["report"])
    return mr.open(location)


@pytest.fixture(scope="session")
def whole(hostile: Store) -> Report:
    """The report with everything in it."""
    with drawn_maps():
        return hostile.report()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one audit that is told in words; to be copied."""
    store = planted_store(tmp_path_factory.mktemp("told") / "store")
    store.scan("m").discover(permutations=0, stability=0).describe().sink()
    return Path(store.location)


@pytest.fixture
def described(told: Path, tmp_path: Path) -> Store:
    """A copy of it, to be written to."""
    return Store.open(shutil.copytree(told, tmp_path / "store"))


def with_counts(store: Store, table: str, **counts: Sequence[int | str | None] | int | None) -> Store:
    """The store with whole columns of a table replaced."""
    rows = store.table(table).read()
    for name, count in counts.items():
        each = [count] * rows.num_rows if count is None or isinstance(count, int) else count
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(place), pa.array(each, rows.schema.field(place).type))
    with store.commit("discover") as commit:
        commit.upsert(table, rows.drop_columns([CHECKSUM]))
    return Store.open(store.location)
