"""Subgroups of metadata for SQL: from lists of terms and errors to conjunctions, ranked and confirmed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from misread.audit.halves import half_of
from misread.discover import Confirmation, judged_together
from misread.execute.inputs import model_targets
from misread.execute.judging import rates
from misread.schemas.errors import QueryError, nothing_predicted, unknown_name
from misread.schemas.tables import AUDIT_TARGETS, AUDITS, PREDICTIONS
from misread.schemas.values import CLASSES, DISCOVERY, SIGNIFICANCE, error_kind_of
from misread.sql import Work
from misread.store import TableStore
from misread.store.lance_table import quoted
from misread.subgroups import MOST_TERMS, Conjunction, DividedRows

from .vectors import Check

SEED = 0
"""Where no audit is named its halves are those of an audit's default seed; shuffles of patients start from it too."""
FOUND = pa.struct(
    [
        ("model", pa.string()),
        ("target", pa.string()),
        ("rank", pa.int64()),
        ("error_kind", pa.string()),
        ("terms", pa.list_(pa.string())),
        ("rows", pa.int64()),
        ("patients", pa.int64()),
        ("errors", pa.int64()),
        *((name, pa.float64()) for name in ("error_rate", "error_rate_low", "error_rate_high")),
        *((name, pa.float64()) for name in ("baseline_rate", "lift", "p_value", "q_value")),
        ("confirmed", pa.bool_()),
        ("scan_statistic", pa.float64()),
    ]
)


def subgroups(store: TableStore) -> Work:
    """The function behind `subgroups`. Raises UnknownNameError for a model or target without predictions and for an
    audit that does not exist, AuditError for a store without predictions."""

    def work(check: Check, *columns: pa.Array) -> pa.Array:
        asked = zip(*columns, strict=True)
        return pa.array([_found(store, check, *row) for row in asked], pa.list_(FOUND))

    return work


def _found(
    store: TableStore, check: Check, terms: Any, samples: Any, patients: Any, pairs: Any, asked: Any
) -> list[dict[str, object]]:
    options = asked.as_py()
    _check_options(options)
    if not pairs.is_valid:
        _check_names(store, options["model"], options["target"], options["audit"])
        return []
    words, codes = _coded(terms.values)
    known = _Known(samples.values, codes, _places(patients.values), _discovery(patients.values))
    return _told(
        [
            (pair["model"].as_py(), pair["target"].as_py(), _searched(pair, known, words, options, check))
            for pair in pairs
        ]
    )


@dataclass(frozen=True, eq=False)
class _Known:
    """What is known of samples, by id: metadata (n, columns), patients' numbers, whether a hash says discovery half."""

    ids: pa.Array
    codes: NDArray[np.intp]
    patients: NDArray[np.intp]
    discovery: NDArray[np.bool_]

    def rows(self, pair: Any) -> tuple[NDArray[np.int8], DividedRows]:
        """Labels and rows of a model and target, by the halves of its audit where it has one."""
        places = pc.index_in(pair["samples"].values, self.ids).to_numpy()
        halves = pair["halves"].values
        discovery = self.discovery[places] if halves.null_count else pc.equal(halves, DISCOVERY).to_numpy(False)
        wrong = pair["errors"].values.to_numpy(zero_copy_only=False).astype(bool)
        label = pair["labels"].values.to_numpy(zero_copy_only=False)
        return label, DividedRows(self.codes[places], wrong, self.patients[places], np.asarray(discovery))


@dataclass(frozen=True, eq=False)
class _Found:
    """A conjunction of a true class, in words."""

    true_class: int
    conjunction: Conjunction
    terms: list[str]

    @property
    def error_kind(self) -> str:
        return str(error_kind_of(self.true_class))


def _searched(
    pair: Any, known: _Known, words: list[list[str]], options: Mapping[str, Any], check: Check
) -> list[tuple[_Found, Confirmation]]:
    """The best of one model and target, best first, and what the confirmation half says of each by itself."""
    label, every = known.rows(pair)
    wanted = {name: options[name] for name in ("min_size", "most_terms", "top", "smallest_cell")}
    rows = {
        true_class: every.of(label == true_class)
        for true_class in (CLASSES if options["true_class"] is None else (options["true_class"],))
    }
    found = [
        _Found(true_class, one, [words[column][code] for column, code in one.terms])
        for true_class, own in rows.items()
        for one in own.search(**wanted, check=check)
    ]
    # one sort for both classes: ties in the statistic go by size, then by the words
    found.sort(key=lambda one: (-one.conjunction.score, len(one.terms), one.error_kind, one.terms))
    best = found[: options["top"]]
    of_class = {
        true_class: iter(own.confirmed([one.conjunction for one in best if one.true_class == true_class], SEED, check))
        for true_class, own in rows.items()
    }
    return [(one, next(of_class[one.true_class])) for one in best]


def _told(found: Sequence[tuple[str, str, list[tuple[_Found, Confirmation]]]]) -> list[dict[str, object]]:
    """The rows of the answer: those found for every model and target, all tested together."""
    each = [(model, target, rank, *one) for model, target, own in found for rank, one in enumerate(own, start=1)]
    together = judged_together([verdict for *_, verdict in each])
    return [
        {
            "model": model,
            "target": target,
            "rank": rank,
            "error_kind": one.error_kind,
            "terms": one.terms,
            "rows": verdict.rows,
            "patients": verdict.patients,
            "errors": verdict.errors,
            **rates(verdict),
            "q_value": q_value,
            "confirmed": q_value <= SIGNIFICANCE,
            "scan_statistic": one.conjunction.score,
        }
        for (model, target, rank, one, _), (verdict, q_value) in zip(each, together, strict=True)
    ]


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


def _discovery(patients: pa.Array) -> NDArray[np.bool_]:
    """Which rows are in the half that is searched where no audit says so: by a hash of each patient."""
    coded = patients.dictionary_encode()
    own = np.array([half_of(patient, SEED) == DISCOVERY for patient in coded.dictionary.to_pylist()])
    return np.asarray(own[coded.indices.to_numpy()])


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
        audited = store.table(AUDIT_TARGETS.name).read(["model", "target"], f"audit_id = {quoted(audit)}").to_pylist()
        if any(model in (None, row["model"]) and target in (None, row["target"]) for row in audited):
            return  # a deletion may have left no prediction of it
    if not store.has(PREDICTIONS.name):
        raise nothing_predicted(store.location)
    pairs = model_targets(store)
    if model is not None and model not in {known for known, _ in pairs}:
        raise unknown_name("model", model, {known for known, _ in pairs}, PREDICTIONS.name)
    mine = {known for owner, known in pairs if model in (None, owner)}
    if target is not None and target not in mine:
        whose = PREDICTIONS.name if model is None else f"the predictions of {model}"
        raise unknown_name("target", target, mine, whose)
