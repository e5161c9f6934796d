"""Data sets in miniature, laid out as the real ones are."""

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from formats.dicom_inputs import film_file
from formats.films import SAMPLES, Film, films
from PIL import Image


def write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def table(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """A CSV, packed where its name says so."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    content = buffer.getvalue().encode()
    write(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


LABELS = [
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture", "Lung Lesion",
    "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia", "Pneumothorax", "Support Devices",
]  # fmt: skip


def labels(film: Film) -> list[str]:
    """1.0, 0.0, -1.0 and blank, all of them."""
    return [["1.0", "0.0", "-1.0", ""][(film.number + at) % 4] for at in range(len(LABELS))]


def report(film: Film) -> str:
    return (
        "                       FINAL REPORT\n EXAMINATION:  CHEST (PA AND LAT)\n\n INDICATION:  ___F with cough"
        f"  // pneumonia?\n\n COMPARISON:  None.\n\n FINDINGS: \n \n {film.sentence}  The heart is\n normal.\n \n"
        f" IMPRESSION: \n \n Film {film.number}.\n"
    )


def _mimic_ids(film: Film) -> tuple[str, str, str, str]:
    """Patient, study, file, and the folder of the study."""
    patient, study = str(10000032 + 7 * film.number), str(50414267 + 11 * film.number)
    name = "-".join(f"{film.number * 2654435761 % 2**32:08x}" for _ in range(5))
    return patient, study, name, f"files/p{patient[:2]}/p{patient}/s{study}"


def mimic_cxr_jpg(root: Path, count: int = SAMPLES) -> list[str]:
    metadata: list[list[object]] = [
        ["dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition", "Rows", "Columns",
         "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning", "ViewCodeSequence_CodeMeaning",
         "PatientOrientationCodeSequence_CodeMeaning"]
    ]  # fmt: skip
    splits: list[list[object]] = [["dicom_id", "study_id", "subject_id", "split"]]
    labelled: list[list[object]] = [["subject_id", "study_id", *LABELS]]
    ids = []
    for film in films(count):
        patient, study, name, folder = _mimic_ids(film)
        write(root / folder / f"{name}.jpg", film.encoded("JPEG"))
        write(root / f"{folder}.txt", report(film))
        view = ["CHEST (PA AND LAT)", "postero-anterior", "Erect"]
        metadata.append([name, patient, study, view[0], "PA", 32, 32, 21800506, 213014.531, *view])
        splits.append([name, study, patient, "test"])
        labelled.append([patient, study, *labels(film)])
        ids.append(name)
    table(root / "mimic-cxr-2.0.0-metadata.csv.gz", metadata)
    table(root / "mimic-cxr-2.0.0-split.csv.gz", splits)
    for labeller in ("chexpert", "negbio"):
        table(root / f"mimic-cxr-2.0.0-{labeller}.csv.gz", labelled)
    return ids


def mimic_cxr(root: Path, count: int = SAMPLES) -> list[str]:
    records: list[list[object]] = [["subject_id", "study_id", "dicom_id", "path"]]
    for film in films(count):
        patient, study, name, folder = _mimic_ids(film)
        path = f"{folder}/{name}.dcm"
        write(root / path, film_file(film))
        write(root / f"{folder}.txt", report(film))
        records.append([patient, study, name, path])
    table(root / "cxr-record-list.csv.gz", records)
    table(root / "cxr-study-list.csv.gz", [["subject_id", "study_id", "path"]])
    return [str(row[2]) for row in records[1:]]


VINDR = ["Aortic enlargement", "Lung Opacity", "Nodule/Mass", "Other diseases", "No finding"]


def vindr_cxr(root: Path, count: int = SAMPLES) -> list[str]:
    train: list[list[object]] = [["image_id", "rad_ID", *VINDR]]
    test: list[list[object]] = [["image_id", *(name.replace("diseases", "disease") for name in VINDR)]]  # as they are
    ids = []
    for film in films(count):
        name, is_test = f"{film.number * 2654435761 % 2**32:032x}", film.number % 4 == 3
        write(root / ("test" if is_test else "train") / f"{name}.dicom", film_file(film))
        for reader in range(3):
            votes = [int(film.number % 4 >= at + (reader == 2)) for at in range(len(VINDR))]
            if not is_test:
                train.append([name, f"R{reader + 8}", *votes])
        if is_test:
            test.append([name, *[int(film.is_marked)] * len(VINDR)])
        ids.append(name)
    table(root / "annotations" / "image_labels_train.csv", train)
    table(root / "annotations" / "image_labels_test.csv", test)
    return ids


def dicom(root: Path, count: int = SAMPLES) -> list[str]:
    for film in films(count):
        write(root / f"DOE^JANE {film.number}" / f"I{film.number:04d}", film_file(film))
    write(root / "README.txt", "not a picture")
    return [f"1.2.3.{film.number}.1" for film in films(count)]


NIH_LISTS = ("train_val_list.txt", "test_list.txt")


def nih_cxr14(root: Path, count: int = SAMPLES) -> list[str]:
    """With the header as it is: its brackets hold commas, and it ends in one."""
    lines = [
        "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
        "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
    ]
    ids = []
    for film in films(count):
        name = f"{film.number:08d}_000.png"
        found = ["No Finding", "Mass|Pleural_Thickening", "Hernia"][film.number % 3]
        age = 411 if film.number == 3 else film.age
        lines.append(f"{name},{found},0,{film.number},{age},{film.sex},PA,2682,2749,0.143,0.143,")
        write(root / f"images_{film.number % 12 + 1:03d}" / "images" / name, film.encoded("PNG"))
        ids.append(name)
    write(root / "Data_Entry_2017.csv", "\n".join(lines) + "\n")
    for at, name in enumerate(NIH_LISTS):
        write(root / name, "\n".join(ids[at::2]))
    return ids


def chexpert(root: Path, count: int = SAMPLES) -> list[str]:
    header = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS]
    tables: dict[str, list[list[object]]] = {"train": [header], "valid": [header]}
    plus: list[list[object]] = [
        [
            "path_to_image",
            "deid_patient_id",
            "report",
            "section_clinical_history",
            "section_history",
            "section_findings",
            "section_impression",
            "race",
        ]
    ]
    ids = []
    for film in films(count):
        split = ["train", "valid"][film.number % 2]
        path = f"{split}/patient{film.number:05d}/study1/view1_frontal.jpg"
        write(root / "CheXpert-v1.0-small" / path, film.encoded("JPEG"))
        sex = {"F": "Female", "M": "Male"}[film.sex]
        tables[split].append([f"CheXpert-v1.0-small/{path}", sex, film.age, "Frontal", "AP", *labels(film)])
        text = f"HISTORY: cough. FINDINGS: {film.sentence} IMPRESSION: film {film.number}."
        histories = ["cough.", ""] if film.number % 2 else ["", "fever."]
        told = [*histories, film.sentence, f"film {film.number}."]
        plus.append([path, f"patient{film.number:05d}", text, *told, "Asian"])
        ids.append(path)
    for split, rows in tables.items():
        table(root / "CheXpert-v1.0-small" / f"{split}.csv", rows)
    table(root / "CheXpert-v1.0-small" / "df_chexpert_plus_240401.csv", plus)
    return ids


PADCHEST = [
    "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM",
    "ViewPosition_DICOM", "Projection", "MethodProjection", "Pediatric", "Modality_DICOM", "Manufacturer_DICOM",
    "PhotometricInterpretation_DICOM", "PixelRepresentation_DICOM", "PixelAspectRatio_DICOM",
    "SpatialResolution_DICOM", "BitsStored_DICOM", "WindowCenter_DICOM", "WindowWidth_DICOM", "Rows_DICOM",
    "Columns_DICOM", "XRayTubeCurrent_DICOM", "Exposure_DICOM", "ExposureInuAs_DICOM", "ExposureTime",
    "RelativeXRayExposure_DICOM", "ReportID", "Report", "MethodLabel", "Labels", "Localizations",
    "LabelsLocalizationsBySentence", "labelCUIS", "LocalizationsCUIS",
]  # fmt: skip


def padchest(root: Path, count: int = SAMPLES) -> list[str]:
    rows: list[list[object]] = [["", *PADCHEST]]
    ids = []
    for film in films(count):
        name = f"2168408409875378207{film.number:05d}_00-0{film.number % 9}.png"
        buffer = io.BytesIO()
        Image.fromarray(film.pixels.astype(np.uint16) << 8).save(buffer, "PNG")
        write(root / str(film.number % 3) / name, buffer.getvalue())
        given = {
            "ImageID": name, "ImageDir": film.number % 3, "StudyDate_DICOM": 20140915,
            "StudyID": f"2019{film.number:05d}", "PatientID": 8447 + film.number,
            "PatientBirth": f"{2014 - film.age}.0",
            "PatientSex_DICOM": film.sex,
            "Projection": "PA", "MethodProjection": "Manual review of DICOM fields", "Pediatric": "No",
            "Manufacturer_DICOM": "ImagingDynamicsCompanyLtd", "Exposure_DICOM": "10", "ReportID": 4765777,
            "Report": "masa . sin hallazg ." if film.is_marked else "sin hallazg patolog .", "MethodLabel": "Physician",
            "Labels": "['mass', 'pleural effusion']" if film.is_marked else "['normal']",
        }  # fmt: skip
        rows.append([film.number, *(given.get(column, "") for column in PADCHEST)])
        ids.append(name)
    table(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", rows)
    return ids


def open_i(root: Path, count: int = SAMPLES) -> list[str]:
    ids = []
    for film in films(count):
        picture = f"CXR{film.number}_IM-{film.number:04d}-1001"
        write(root / "NLMCXR_png" / f"{picture}.png", film.encoded("PNG"))
        write(
            root / "NLMCXR_reports" / "ecgen-radiology" / f"{film.number}.xml",
            f"""<?xml version="1.0" encoding="utf-8"?>
<eCitation><meta type="rr"/><uId id="CXR{film.number}"/><pmcId id="{film.number}"/><docSource>CXR</docSource>
<MedlineCitation Owner="Natl Library of Medicine" Status="supplied by publisher"><Article PubModel="Electronic">
<Abstract><AbstractText Label="COMPARISON">None.</AbstractText><AbstractText Label="INDICATION">Positive TB test
</AbstractText><AbstractText Label="FINDINGS">{film.sentence}</AbstractText><AbstractText Label="IMPRESSION">Film
{film.number}.</AbstractText></Abstract></Article></MedlineCitation>
<MeSH><major>Mass/lung</major><major>Opacity</major><automatic>mass</automatic></MeSH>
<parentImage id="{picture}"><figureId>F1</figureId><caption>Xray Chest PA and Lateral</caption>
<panel type="single"><url>/hadoop/storage/radiology/extract/{picture}.jpg</url></panel></parentImage></eCitation>""",
        )
        ids.append(picture)
    return ids


def medmnist(root: Path, count: int = SAMPLES) -> list[str]:
    arrays, ids = {}, []
    for at, split in enumerate(("train", "val", "test")):
        some = films(count)[at * count // 3 : (at + 1) * count // 3]
        arrays[f"{split}_images"] = np.stack([film.pixels for film in some])
        arrays[f"{split}_labels"] = np.array([[film.number % 2, film.number % 3 == 0] for film in some], np.uint8)
        ids += [f"chestmnist/{split}/{number:06d}" for number in range(len(some))]
    np.savez_compressed(root / "chestmnist.npz", **arrays)
    return ids


def imagefolder(root: Path, count: int = SAMPLES) -> list[str]:
    names = [
        f"{['val', 'test'][f.number % 2]}/{['sick', 'well'][f.number % 2]}/{f.number:05d}.png" for f in films(count)
    ]
    for film, name in zip(films(count), names, strict=True):
        write(root / name, film.encoded("PNG"))
    return names


MINIATURES: dict[str, Callable[[Path, int], list[str]]] = {
    "chexpert": chexpert,
    "medmnist": medmnist,
    "nih-cxr14": nih_cxr14,
    "open-i": open_i,
    "padchest": padchest,
    "dicom": dicom,
    "imagefolder": imagefolder,
    "mimic-cxr": mimic_cxr,
    "vindr-cxr": vindr_cxr,
    "mimic-cxr-jpg": mimic_cxr_jpg,
}
"""Each builds a miniature in a folder and returns its sample ids, one a film, in the films' order."""
