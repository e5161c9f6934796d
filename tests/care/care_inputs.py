"""Files of made-up films, some of one patient whose traces can be told from all others."""

from pathlib import Path

import polars as pl
from formats.films import films

from misread.ingest import Sources

SAMPLES = 90
PATIENT, TRACE = "patient-of-interest", "zebrafishword"
MINE = range(0, SAMPLES, 9)


def write_input(folder: Path, *, age: int = 50) -> Sources:
    folder.mkdir(exist_ok=True)
    rows, reports, predictions = [], [], []
    for film in films(SAMPLES):
        mine = film.number in MINE
        name = f"{TRACE}{film.number}" if mine else f"s{film.number}"
        (folder / f"{name}.png").write_bytes(film.encoded("PNG"))
        patient = PATIENT if mine else f"p{film.number}"
        rows.append({"sample_id": name, "patient_id": patient, "study_id": f"study {name}", "image": f"{name}.png",
                     "age": age, "remark": f"{TRACE} {age}" if mine else "none"})  # fmt: skip
        reports.append({"study_id": f"study {name}", "report": f"The {TRACE} heart." if mine else film.sentence})
        score = 0.2 if film.is_marked else 0.8
        predictions.append(
            {"sample_id": name, "model": "m", "target": "T", "label": 1, "score": score, "threshold": 0.5}
        )
    for name, table in {"metadata": rows, "reports": reports, "predictions": predictions}.items():
        pl.DataFrame(table).write_csv(folder / f"{name}.csv")
    return Sources(folder / "metadata.csv", None, folder / "reports.csv", folder / "predictions.csv")


def traces(folder: Path) -> list[Path]:
    """Files in which a sample, picture, report or id of the patient can be found."""
    pictures = [film.encoded("PNG") for film in films(SAMPLES) if film.number in MINE]
    wanted = [PATIENT.encode(), f"{TRACE}0".encode(), f"{TRACE} 5".encode(), *pictures]
    return [p for p in folder.rglob("*") if p.is_file() and any(one in p.read_bytes() for one in wanted)]
