"""Several models compared: how every model of an audit does on every slice, whichever model it was found for."""

from collections.abc import Sequence

from misread.audit.population import Population
from misread.discover import Confirmation, confirm, judged_together
from misread.schemas.values import CONFIRMATION, SIGNIFICANCE

from .judged_rows import JudgedRows
from .judging import rates
from .steps import FoundSlice

OWN = ("error_rate", "error_rate_low", "error_rate_high", "baseline_rate", "lift", "p_value", "q_value")


def compare(slices: Sequence[FoundSlice], populations: Sequence[Population], seed: int) -> list[dict[str, object]]:
    """Rows of the comparisons table: none for a target that one model alone was audited on.

    A slice's own model has the slice's own numbers. Every other model is tested on its own rows of the slice's class
    in the confirmation half, at its own threshold; q-values and intervals are over all those tests, by
    `judged_together`. No model is tested against another: that one misreads a slice, and another was not shown to, is
    no difference between the two.
    """
    own: list[dict[str, object]] = []
    others: list[tuple[FoundSlice, str, Confirmation]] = []
    for found in slices:
        rivals = [
            judged
            for judged in populations
            if judged.target == found.population.target and judged.model != found.population.model
        ]
        if rivals:
            own.append(_own(found))
        others += [(found, judged.model, _verdict(found, judged, seed)) for judged in rivals]
    verdicts = judged_together([verdict for _, _, verdict in others])
    tested = [
        _other(found, model, verdict) | {"q_value": q, "misread": q <= SIGNIFICANCE}
        for (found, model, _), (verdict, q) in zip(others, verdicts, strict=True)
    ]
    return sorted([*own, *tested], key=lambda row: (str(row["slice_id"]), str(row["model"])))


def _own(found: FoundSlice) -> dict[str, object]:
    row = found.row
    counts = {name: row[f"confirmation_{name}"] for name in ("rows", "errors", "patients")}
    return {
        **{name: row[name] for name in ("audit_id", "slice_id", "model", *OWN)},
        **counts,
        "misread": row["confirmed"],
    }


def _verdict(found: FoundSlice, judged: Population, seed: int) -> Confirmation:
    rows = JudgedRows.of(judged, found.true_class, CONFIRMATION)
    return confirm(found.members.taken[rows.places], rows.values, rows.patients, seed)


def _other(found: FoundSlice, model: str, verdict: Confirmation) -> dict[str, object]:
    return {
        "audit_id": found.row["audit_id"],
        "slice_id": found.row["slice_id"],
        "model": model,
        "rows": verdict.rows,
        "errors": verdict.errors,
        "patients": verdict.patients,
        **rates(verdict),
    }
