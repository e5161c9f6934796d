"""Subgroups of metadata for SQL: from lists of terms and errors to ranked conjunctions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from misread.discover import rate_interval
from misread.execute.inputs import model_targets
from misread.schemas.errors import QueryError, unknown_name
from misread.schemas.tables import AUDIT_TARGETS, AUDITS, PREDICTIONS
from misread.schemas.values import CLASSES, error_kind_of, is_small_cell
from misread.sql import Work
from misread.store import TableStore
from misread.store.lance_table import quoted
from misread.subgroups import MOST_TERMS, Conjunction, ScanScore, best_conjunctions

FOUND = pa.struct(
    [
        ("rank", pa.int64()),
        ("error_kind", pa.string()),
        ("terms", pa.list_(pa.string())),
        ("rows", pa.int64()),
        ("patients", pa.int64()),
        ("errors", pa.int64()),
        *((name, pa.float64()) for name in ("error_rate", "error_rate_low", "error_rate_high")),
        *((name, pa.float64()) for name in ("baseline_rate", "lift", "scan_statistic")),
    ]
)


def subgroups(store: TableStore) -> Work:
    """The function behind `subgroups`. Raises UnknownNameError for a model or target without predictions, and for an
    audit that does not exist."""

    def work(check: Callable[[], None], *columns: pa.Array) -> pa.Array:
        asked = zip(*columns, strict=True)
        return pa.array([_found(store, check, *row) for row in asked], pa.list_(FOUND))

    return work


def _found(
    store: TableStore, check: Callable[[], None], terms: Any, errors: Any, labels: Any, patients: Any, asked: Any
) -> list[dict[str, object]]:
    options = asked.as_py()
    _check_options(options)
    if not errors.is_valid:
        _check_names(store, options["model"], options["target"], options["audit"])
        return []
    words, codes = _coded(terms.values)
    wrong = errors.values.to_numpy(zero_copy_only=False).astype(bool)
    label = labels.values.to_numpy(zero_copy_only=False)
    patient = _places(patients.values)
    found: list[dict[str, Any]] = []
    for true_class in CLASSES if options["true_class"] is None else (options["true_class"],):
        own = label == true_class
        rows = _Rows(words, codes[own], wrong[own], patient[own], true_class)
        found += rows.found(options, check)
    # one sort for both classes: ties in the statistic go by size, then by the words
    found.sort(key=lambda row: (-row["scan_statistic"], len(row["terms"]), row["error_kind"], row["terms"]))
    return [{"rank": place, **row} for place, row in enumerate(found[: options["top"]], 1)]


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of one true class: `words` name the codes (n, d) of every column."""

    words: Sequence[Sequence[str]]
    codes: NDArray[np.intp]
    wrong: NDArray[np.bool_]
    patient: NDArray[np.intp]
    true_class: int

    def found(self, options: Mapping[str, Any], check: Callable[[], None]) -> list[dict[str, Any]]:
        def enough_patients(inside: NDArray[np.bool_]) -> bool:
            return not any(is_small_cell(self._patients(side), options["smallest_cell"]) for side in (inside, ~inside))

        best = best_conjunctions(
            self.codes,
            self.wrong,
            ScanScore(int(self.wrong.sum()), len(self.wrong)),
            min_size=options["min_size"],
            most_terms=options["most_terms"],
            top=options["top"],
            admit=enough_patients,
            check=check,
        )
        return [self._told(one) for one in best]

    def _patients(self, rows: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(np.bincount(self.patient[rows])))

    def _told(self, one: Conjunction) -> dict[str, Any]:
        inside = np.all([self.codes[:, column] == code for column, code in one.terms], axis=0)
        low, high = rate_interval(self.wrong[inside], self.patient[inside])
        outside = len(inside) - one.rows
        rate = one.errors / one.rows
        baseline = (int(self.wrong.sum()) - one.errors) / outside if outside else None
        return {
            "error_kind": error_kind_of(self.true_class),
            "terms": [self.words[column][code] for column, code in one.terms],
            "rows": one.rows,
            "patients": self._patients(inside),
            "errors": one.errors,
            "error_rate": rate,
            "error_rate_low": low,
            "error_rate_high": high,
            "baseline_rate": baseline,
            "lift": rate / baseline if baseline else None,
            "scan_statistic": one.score,
        }


def _coded(columns: pa.ListArray) -> tuple[list[list[str]], NDArray[np.intp]]:
    """The sorted words of each column, and each row's place among them, (n, columns)."""
    words, codes = [], []
    for column in columns:
        encoded = column.values.dictionary_encode()
        names = np.array(encoded.dictionary.to_pylist(), object)
        order = np.argsort(names)
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        words.append(names[order].tolist())
        codes.append(place[encoded.indices.to_numpy()])
    return words, np.stack(codes, axis=1)


def _places(values: pa.Array) -> NDArray[np.intp]:
    return np.asarray(values.dictionary_encode().indices.to_numpy(), np.intp)


def _check_options(options: Mapping[str, Any]) -> None:
    for name, least, most in (("min_size", 1, None), ("most_terms", 1, MOST_TERMS), ("top", 1, None)):
        value = options[name]
        if value is None or value < least or (most is not None and value > most):
            raise QueryError(f"{name} is {value}", f"it is {least} or more" + (f", at most {most}" if most else ""))
    if options["true_class"] not in (None, *CLASSES):
        raise QueryError(f"of_class is {options['true_class']}", "it is 1, 0, or NULL for both")


def _check_names(store: TableStore, model: str | None, target: str | None, audit: str | None) -> None:
    if audit is not None:
        audits = store.table(AUDITS.name).read(["audit_id"])["audit_id"].to_pylist() if store.has(AUDITS.name) else []
        if audit not in audits:
            raise unknown_name("audit", audit, audits, store.location)
        audited = store.table(AUDIT_TARGETS.name).read(["model", "target"], f"audit_id = {quoted(audit)}")
        if {"model": model, "target": target} in audited.to_pylist():
            return  # a deletion may have left no prediction of it
    pairs = model_targets(store) if store.has(PREDICTIONS.name) else []
    if model not in {known for known, _ in pairs}:
        raise unknown_name("model", str(model), {known for known, _ in pairs}, PREDICTIONS.name)
    if (model, target) not in pairs:
        targets = {known for owner, known in pairs if owner == model}
        raise unknown_name("target", str(target), targets, f"the predictions of {model}")
