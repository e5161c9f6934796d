"""The fault table: what is done to a good input, and what is to be told of it."""

from typing import Any

from ingest.ingest_inputs import METADATA, Spoil, as_csv, encoded

Expected = list[tuple[str, int | None, str | None, str]]


def _cell(kind: str, row: int, column: str, value: str) -> Spoil:
    return lambda inputs: inputs.cell(kind, row, column, value)


def _row(kind: str, *cells: str) -> Spoil:
    return lambda inputs: inputs.tables[kind].append(list(cells))


def _raw(kind: str, content: bytes) -> Spoil:
    return lambda inputs: inputs.raw.update({kind: content})


def _picture(name: str, content: bytes) -> Spoil:
    return lambda inputs: inputs.pictures.update({name: content})


def _vector(**values: Any) -> Spoil:
    return lambda inputs: inputs.embeddings[1].update(values)


def _column(kind: str, name: str, *values: str) -> Spoil:
    return lambda inputs: inputs.column(kind, name, list(values))


def _both(one: Spoil, other: Spoil) -> Spoil:
    return lambda inputs: (one(inputs), other(inputs))


def _all_vectors(**values: Any) -> Spoil:
    return lambda inputs: [row.update(values) for row in inputs.embeddings]


M, R, P, E = "metadata.csv", "reports.csv", "predictions.csv", "embeddings.parquet"
_JPEG, _PNG = encoded("JPEG", seed=5), encoded("PNG", seed=5)
_LATIN = as_csv(METADATA).decode().replace("54,F", "54,é").encode("latin-1")

CASES: dict[str, tuple[Spoil, Expected]] = {
    # pictures
    "truncated JPEG": (_picture("a.jpg", _JPEG[:-40]), [(M, 2, "image", "unreadable.*truncated")]),
    "truncated PNG": (_picture("b.png", _PNG[:-40]), [(M, 3, "image", "unreadable")]),
    "PNG without its end": (_picture("b.png", _PNG[:-2]), [(M, 3, "image", "ends too early")]),
    "damaged PNG": (
        _picture("b.png", _PNG[:-60] + b"\0\0" + _PNG[-58:]),
        [(M, 3, "image", "unreadable")],
    ),
    "only a JPEG's first bytes": (_picture("a.jpg", b"\xff\xd8\xff\xe0"), [(M, 2, "image", "unreadable")]),
    "empty picture": (_picture("a.jpg", b""), [(M, 2, "image", "the file is empty")]),
    "neither JPEG nor PNG": (
        _picture("a.jpg", b"GIF89a" + bytes(40)),
        [(M, 2, "image", "neither JPEG nor PNG")],
    ),
    "missing picture": (
        _cell("metadata", 2, "image", "z.jpg"),
        [(M, 2, "image", "no such image: 'z.jpg'")],
    ),
    "picture above the folder": (
        _cell("metadata", 2, "image", "../metadata.csv"),
        [(M, 2, "image", "out of the images folder: ")],
    ),
    "absolute picture path": (_cell("metadata", 2, "image", "/etc/hosts"), [(M, 2, "image", "absolute")]),
    "picture is a folder": (_cell("metadata", 2, "image", "."), [(M, 2, "image", "no file")]),
    "picture with an endless name": (
        _cell("metadata", 2, "image", "x" * 5000),
        [(M, 2, "image", "cannot be found|there is no such image")],
    ),
    # metadata
    "missing sample_id": (_cell("metadata", 5, "sample_id", " "), [(M, 5, "sample_id", "missing")]),
    "duplicate sample_id": (
        _row("metadata", "e", "p9", "s9", "", "1", "F"),
        [(M, 6, "sample_id", "'e' is there 2 times: rows 6, 7"), (M, 7, "sample_id", "rows 6, 7")],
    ),
    "short row": (
        lambda i: i.tables["metadata"][5].pop(),
        [(M, 6, None, "the row has 5 cells, the header 6")],
    ),
    "long row": (
        lambda i: i.tables["metadata"][5].append("x"),
        [(M, 6, None, "the row has 7 cells, the header 6")],
    ),
    "no column sample_id": (
        lambda i: i.tables["metadata"][0].__setitem__(0, "sampleid"),
        [(M, None, "sample_id", "no column 'sample_id'; did you mean 'sampleid'")],
    ),
    "wrong separator": (
        _raw("metadata", as_csv(METADATA).replace(b",", b";")),
        [(M, None, None, "separated by commas")],
    ),
    "wrong separator, with quotes and commas": (
        _raw("metadata", as_csv(METADATA).replace(b",", b";") + b's9;"a "";"" b";"1,5"\n'),
        [(M, None, None, "separated by commas")],
    ),
    "the same column twice": (
        _column("metadata", "Age", "1", "2", "3", "4", "5"),
        [(M, None, "age", "same name.*age, Age")],
    ),
    "a name that is a pattern": (
        _both(_column("metadata", "*", *"12345"), _column("metadata", "^a.*$", *"12345")),
        [(M, None, "*", r"stand for several columns: \*, \^a\.\*\$; rename them")],
    ),
    "two columns for one name": (
        _both(
            _column("metadata", "width", "1", "2", "3", "4", "5"),
            _column("metadata", "metadata_width", "1", "2", "3", "4", "5"),
        ),
        [(M, None, "width", "stored as 'metadata_width' too"), (M, None, "metadata_width", "stored as")],
    ),
    "wrong encoding": (
        _raw("metadata", _LATIN),
        [(M, None, None, r"wrong encoding: line 2, byte 18 \(0xe9\) is not UTF-8")],
    ),
    "UTF-16": (
        _raw("metadata", as_csv(METADATA).decode().encode("utf-16")),
        [(M, None, None, "wrong encoding.*UTF-16")],
    ),
    "empty file": (_raw("metadata", b""), [(M, None, None, "the file is empty")]),
    "blank file": (_raw("metadata", b"\n \n\n"), [(M, None, None, "the file is empty|not a header")]),
    "file without rows": (_raw("metadata", b"sample_id,age\r\n\r\n"), [(M, None, None, "no rows")]),
    "unclosed quote": (
        _raw("metadata", b'sample_id,age\n\na,"5\nb,6\nc,7\n'),
        [(M, None, None, "not a CSV file: line 3: a quote of this row is not closed")],
    ),
    "quote closed by a later row's": (
        _raw("metadata", b'sample_id,age\na,"5\nb,"6"\nc,7\n'),
        [(M, None, None, "not a CSV file: lines 2 to 3, one row by its quotes: ',' expected")],
    ),
    "text behind a quote": (
        _raw("metadata", b'sample_id,age\na,5\nb,"6" 7\n'),
        [(M, None, None, "not a CSV file: line 3: ',' expected")],
    ),
    "binary file": (_raw("metadata", b"sample_id,age\na,\0\n"), [(M, None, None, "line 2 holds a NUL")]),
    "Excel file": (_raw("metadata", b"PK\x03\x04rest"), [(M, None, None, "zip or Excel")]),
    "NumPy file": (_raw("metadata", b"\x93NUMPY\x01\0v\0{"), [(M, None, None, "a NumPy file, which holds no ids")]),
    "Feather file": (
        _raw("metadata", b"ARROW1\0\0\xff\xff"),
        [(M, None, None, "not a CSV or Parquet file but an Arrow")],
    ),
    "JSON file": (_raw("metadata", b'[{"sample_id": "a"}]'), [(M, None, None, "not a CSV or Parquet file but a JSON")]),
    "indented JSON file": (
        _raw("metadata", b'[\n {\n  "sample_id": "a",\n  "age": 60\n }\n]\n'),
        [(M, None, None, "not a CSV or Parquet file but a JSON")],
    ),
    "JSON lines": (
        _raw("metadata", b'{"sample_id": "a"}\n'),
        [(M, None, None, "not a CSV or Parquet file but a JSON")],
    ),
    "broken gzip": (_raw("metadata", b"\x1f\x8b\x08rest"), [(M, None, None, "not a whole gzip")]),
    # reports
    "report of an unknown sample": (_row("reports", "z", "Clear."), [(R, 4, "sample_id", "no sample 'z'")]),
    "report without a key": (
        _row("reports", "", "Clear."),
        [(R, 4, "sample_id", "no sample_id and no study_id")],
    ),
    "two reports of a sample": (
        _row("reports", "a", "Clear."),
        [(R, 2, "sample_id", "rows 2, 4"), (R, 4, "sample_id", "rows 2, 4")],
    ),
    "report of an unknown study": (
        _raw("reports", b"study_id,report\ns1,x\ns9,y\n"),
        [(R, 3, "study_id", "no study 's9'")],
    ),
    "reports without a key column": (
        _raw("reports", b"study,report\ns1,x\n"),
        [(R, None, "sample_id", "no column 'sample_id'")],
    ),
    "no column report": (
        _raw("reports", b"sample_id,Reports\na,x\n"),
        [(R, None, "report", "did you mean 'Reports'")],
    ),
    # predictions
    "prediction for an unknown sample": (
        _cell("predictions", 4, "sample_id", "7"),
        [(P, 4, "sample_id", "no sample '7'")],
    ),
    "prediction without a sample": (
        _cell("predictions", 4, "sample_id", ""),
        [(P, 4, "sample_id", "the sample_id is missing")],
    ),
    "prediction without a model": (
        _cell("predictions", 4, "model", ""),
        [(P, 4, "model", "model is missing")],
    ),
    "prediction without a target": (
        _cell("predictions", 4, "target", ""),
        [(P, 4, "target", "target is missing")],
    ),
    "predictions without a model or target": (
        lambda i: [i.cell("predictions", row, name, "") for row in range(2, 7) for name in ("model", "target")],
        [
            (P, 2, "model", "the model is missing; 5 times: rows 2, 3, 4, 5, 6$"),
            (P, 2, "target", "the target is missing; 5 times: rows 2, 3, 4, 5, 6$"),
        ],
    ),
    "score above 1": (
        _cell("predictions", 3, "score", "1.2"),
        [(P, 3, "score", r"score 1\.2 is outside 0\.\.1")],
    ),
    "score below 0": (_cell("predictions", 3, "score", "-1e-9"), [(P, 3, "score", "outside")]),
    "score NaN": (_cell("predictions", 3, "score", "NaN"), [(P, 3, "score", "score is NaN")]),
    "score infinite": (_cell("predictions", 3, "score", "inf"), [(P, 3, "score", "outside")]),
    "score a word": (_cell("predictions", 3, "score", "high"), [(P, 3, "score", "'high' is not a number")]),
    "score with a decimal comma": (
        _cell("predictions", 3, "score", "0,5"),
        [(P, 3, "score", "not a number")],
    ),
    "score missing": (_cell("predictions", 3, "score", ""), [(P, 3, "score", "the score is missing")]),
    "label 2": (_cell("predictions", 3, "label", "2"), [(P, 3, "label", "label 2 is neither")]),
    "label a half": (_cell("predictions", 3, "label", "0.5"), [(P, 3, "label", "neither")]),
    "label a word": (_cell("predictions", 3, "label", "yes"), [(P, 3, "label", "label yes is neither")]),
    "conflicting labels": (
        _cell("predictions", 5, "label", "0"),
        [(P, 2, "label", r"differ: 0 \(row 5\), 1 \(row 2\)"), (P, 5, "label", "differ")],
    ),
    "the same prediction twice": (
        _row("predictions", "b", "m1", "T", "0", "0.25"),
        [(P, 3, None, "'b', 'm1', 'T' is there 2 times: rows 3, 7"), (P, 7, None, "rows 3, 7")],
    ),
    "conflicting thresholds": (
        _column("predictions", "threshold", "0.5", "0.5", "0.25", "0.1", ""),
        [(P, 4, "threshold", r"0\.25 differs from 0\.5")],
    ),
    "thresholds without a majority": (
        _column("predictions", "threshold", "0.5", "0.25", "", "", ""),
        [(P, 2, "threshold", "differ"), (P, 3, "threshold", r"0\.25 \(row 3\), 0\.5 \(row 2\)")],
    ),
    "threshold NaN": (
        _column("predictions", "threshold", "nan", "", "", "", ""),
        [(P, 2, "threshold", "is nan")],
    ),
    "threshold infinite": (
        _column("predictions", "threshold", "-inf", "", "", "", ""),
        [(P, 2, "threshold", "threshold -inf is outside")],
    ),
    "a threshold in percent": (
        _column("predictions", "threshold", "50", "", "", "", ""),
        [(P, 2, "threshold", r"threshold 50 is outside 0\.\.1")],
    ),
    "thresholds in percent": (
        _column("predictions", "threshold", "50", "50", "50", "50", ""),
        [(P, None, "threshold", "4 of 4 cells are no numbers from 0 to 1.*thresholds are probabilities; percents")],
    ),
    "score and loss missing": (
        _both(_column("predictions", "loss", "0.1", "", "", "", ""), _cell("predictions", 3, "score", "")),
        [(P, 3, "score", "score and loss are missing")],
    ),
    "loss NaN": (_column("predictions", "loss", "0.1", "NaN", "NA", "", "2"), [(P, 3, "loss", "is NaN")]),
    "loss a word": (
        _column("predictions", "loss", "0.1", "low", "", "", "2"),
        [(P, 3, "loss", "not a number")],
    ),
    "two classes of a task": (
        _both(
            _column("predictions", "task", "kind", "kind", "kind", "kind", "kind"),
            _row("predictions", "a", "m1", "U", "1", "0.1", "kind"),
        ),
        [
            (P, 2, "label", "more than one class"),
            (P, 7, "label", r"T \(row 2\), U \(row 7\)"),
        ],
    ),
    "half of a model and target in a task": (
        _column("predictions", "task", "kind", "", "kind", "kind", "kind"),
        [(P, 3, "task", "the row has no task; other rows of its model and target have one")],
    ),
    "no column score": (
        lambda i: i.without("predictions", "score"),
        [(P, None, "score", "no column 'score'")],
    ),
    # embeddings
    "vector of an unknown sample": (_vector(sample_id="z"), [(E, 3, "sample_id", "no sample 'z'")]),
    "vector of no sample": (_vector(sample_id=None), [(E, 3, "sample_id", "missing")]),
    "vector of no encoder": (_vector(encoder=""), [(E, 3, "encoder", "missing")]),
    "vector of another length": (_vector(vector=[1.0, 2.0, 3.0]), [(E, 3, "vector", "has length 3.*have 2")]),
    "vector with NaN": (_vector(vector=[1.0, float("nan")]), [(E, 3, "vector", "NaN")]),
    "vector with a gap": (_vector(vector=[1.0, None]), [(E, 3, "vector", "NaN")]),
    "vector with infinity": (_vector(vector=[1.0, float("inf")]), [(E, 3, "vector", "infinite")]),
    "vector too large for float32": (_vector(vector=[1.0, 1e300]), [(E, 3, "vector", "infinite")]),
    "vector empty": (_vector(vector=[]), [(E, 3, "vector", "the vector is empty")]),
    "vector missing": (_vector(vector=None), [(E, 3, "vector", "the vector is missing")]),
    "the same vector twice": (
        lambda i: i.embeddings.append(dict(i.embeddings[1])),
        [(E, 3, None, "'b', 'clip' is there 2 times"), (E, 5, None, "rows 3, 5")],
    ),
    "built-in encoder": (
        _all_vectors(encoder="tfidf"),
        [(E, 2, "encoder", "'tfidf' is built in.*; 3 times: rows 2, 3, 4$")],
    ),
    "encoder with a bad name": (
        _all_vectors(encoder="../x"),
        [(E, 2, "encoder", r"'\.\./x': up to 64 letters.*; 3 times: rows 2, 3, 4$")],
    ),
    "encoders with bad names": (
        _both(_all_vectors(encoder="../x"), _vector(encoder="../y")),
        [(E, 2, "encoder", "/x'.*; 2 times: rows 2, 4$"), (E, 3, "encoder", "/y'.* a digit first$")],
    ),
    "encoders in upper and lower case": (
        _both(_all_vectors(encoder="dino"), _vector(encoder="DINO")),
        [(E, 2, "encoder", "'dino' is spelled in .*; 2 times: rows 2, 4$"), (E, 3, "encoder", "'DINO' is spelled")],
    ),
    "vectors of no encoder": (_all_vectors(encoder=""), [(E, 2, "encoder", "missing; 3 times: rows 2, 3, 4$")]),
    "strange modality": (
        _all_vectors(modality="sound", encoder="other"),
        [(E, 2, "modality", "'sound' is neither image nor report; 3 times: rows 2, 3, 4$")],
    ),
    "not a Parquet file": (
        _raw("embeddings", b"sample_id,encoder\n"),
        [(E, None, None, "not a Parquet file")],
    ),
    "cut Parquet file": (_raw("embeddings", b"PAR1" + bytes(50)), [(E, None, None, "not a whole Parquet")]),
    "vectors that are numbers": (
        lambda i: [row.update(vector=1.0) for row in i.embeddings],
        [(E, None, "vector", "list of numbers, not Float64")],
    ),
}
