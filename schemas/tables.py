"""The Arrow contract of every table in a store."""

import pyarrow as pa

from .contract import CHECKSUM, PICTURE, VECTOR, TableContract
from .contract import CHECKSUM_FIELD as _CHECKSUM
from .contract import integer as _integer
from .contract import real as _real
from .contract import text as _text
from .descriptions import CONTRAST_WORDS, EXAMPLES, PHRASES, VERDICTS

EMBEDDINGS_PREFIX = "embeddings_"
_CLASS = pa.int8()

IMAGES = TableContract(
    "images",
    (
        _text("sample_id", required=True),
        _text("patient_id"),
        _text("study_id"),
        _text("split"),
        _text("image"),
        pa.field(PICTURE, pa.large_binary(), metadata={"misread": "blob"}),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        _text("media_type"),
        _text("sha256"),
        _CHECKSUM,
    ),
    key=("sample_id",),
    hidden=(PICTURE, CHECKSUM),
    open_ended=True,
)
"""One row a sample. `image` is the path the picture came from; every further column is metadata."""

REPORTS = TableContract(
    "reports",
    (
        _text("sample_id"),
        _text("study_id"),
        _text("report", required=True),
        _text("indication"),
        _text("technique"),
        _text("comparison"),
        _text("findings"),
        _text("impression"),
        _CHECKSUM,
    ),
    key=("sample_id", "study_id"),
)
"""One row a report, keyed by the sample or by the study it belongs to; the other key is NULL.

`report` is the whole text; `indication` to `impression` are its sections, NULL where it has no such heading.
"""

PREDICTIONS = TableContract(
    "predictions",
    (
        _text("sample_id", required=True),
        _text("model", required=True),
        _text("task"),
        _text("target", required=True),
        pa.field("label", _CLASS),
        _real("score"),
        _real("threshold"),
        _real("loss"),
        _CHECKSUM,
    ),
    key=("sample_id", "model", "target"),
)
"""One row a sample, model and target. Targets of one `task` are the classes of one multi-class question."""

AUDITS = TableContract(
    "audits",
    (
        _text("audit_id", required=True),
        _text("name"),
        pa.field("created_at", pa.timestamp("us", tz="UTC")),
        _text("package_version"),
        _integer("state"),
        _integer("seed"),
        pa.field("models", pa.list_(pa.string())),
        pa.field("targets", pa.list_(pa.string())),
        _text("where"),
        pa.field("modalities", pa.list_(pa.string())),
        _integer("samples"),
        _integer("slices"),
        _integer("confirmed_slices"),
        pa.field("notes", pa.list_(pa.string())),
        _text("parameters"),
        _text("tables"),
        _text("fusion"),
        _CHECKSUM,
    ),
    key=("audit_id",),
)
"""One row an audit. `name`: what it may be called besides; no two audits have the same.

`created_at`: later than that of every audit before, whatever the clock says.

`parameters` and `tables` are JSON; `fusion` names the fitted model file in the store.
"""

AUDIT_TARGETS = TableContract(
    "audit_targets",
    (
        _text("audit_id", required=True),
        _text("model"),
        _text("target"),
        _real("threshold"),
        _text("threshold_source"),
        _integer("discovery_rows"),
        _integer("discovery_errors"),
        _integer("confirmation_rows"),
        _integer("confirmation_errors"),
        _integer("smallest_effect_rows"),
        _real("smallest_effect_false_negative"),
        _real("smallest_effect_false_positive"),
        _real("smallest_effect_mean_loss"),
        pa.field("left_out", pa.list_(pa.struct([("reason", pa.string()), ("rows", pa.int64())]))),
        pa.field("left_out_patients", pa.list_(pa.int64())),
        _text("note"),
        _CHECKSUM,
    ),
    key=("audit_id", "model", "target"),
)
"""One row a model and target of an audit: its threshold, what was audited, and what was left out and why.

`left_out_patients`: of how many patients the rows of each entry of `left_out` are, NULL where nobody counted.

`smallest_effect_false_negative` and `…_false_positive`: the smallest error rate at which a slice of label 1, or 0, with
`smallest_effect_rows` confirmation rows (the audit's `min_size`), found and tested alone, would have been confirmed at
the 5 % level with about 80 % power, given the error rate of its class; NULL where no rate would have been enough. Where
patients have several rows the slice's are of as few as the audit's `min_patients`.
`smallest_effect_mean_loss`: the same for an audit of losses, higher by as much in every row. Where losses were audited
there is no threshold, and errors and their effects are NULL; elsewhere the mean loss is.
"""

AUDITED = TableContract(
    "audited",
    (
        _text("audit_id", required=True),
        _text("model"),
        _text("target"),
        _text("sample_id"),
        _text("half"),
        pa.field("label", _CLASS),
        _real("score"),
        _real("threshold"),
        pa.field("predicted", _CLASS),
        pa.field("error", pa.bool_()),
        _text("error_kind"),
        _real("loss"),
        _CHECKSUM,
    ),
    key=("audit_id", "model", "target", "sample_id"),
    repeated=("audit_id", "model", "target", "half", "error_kind"),
)
"""One row a sample, model and target that an audit judged: the audit's own truth.

An audit of losses has `loss` and no error; any other has no loss, and `error` where there is a label and a threshold.
"""

SLICES = TableContract(
    "slices",
    (
        _text("audit_id", required=True),
        _text("slice_id", required=True),
        _text("model"),
        _text("target"),
        pa.field("true_class", _CLASS),
        _text("error_kind"),
        _integer("discovery_rows"),
        _integer("discovery_errors"),
        _integer("discovery_patients"),
        _real("discovery_error_rate"),
        _real("discovery_baseline_rate"),
        _real("discovery_mean_loss"),
        _real("discovery_baseline_loss"),
        _real("scan_statistic"),
        _real("search_p_value"),
        _real("stability"),
        _integer("confirmation_rows"),
        _integer("confirmation_errors"),
        _integer("confirmation_patients"),
        _integer("baseline_patients"),
        _integer("other_class_rows"),
        _real("share"),
        _real("share_low"),
        _real("share_high"),
        _real("error_rate"),
        _real("error_rate_low"),
        _real("error_rate_high"),
        _real("baseline_rate"),
        _real("mean_loss"),
        _real("mean_loss_low"),
        _real("mean_loss_high"),
        _real("baseline_loss"),
        _real("lift"),
        _real("p_value"),
        _real("q_value"),
        pa.field("confirmed", pa.bool_()),
        pa.field("direction", pa.list_(pa.float64())),
        _real("cut"),
        _text("sentence"),
        _text("rule"),
        _real("rule_precision"),
        _real("rule_recall"),
        _integer("rule_fewest_patients"),
        pa.field("class_direction", pa.list_(pa.float64())),
        _real("class_offset"),
        _CHECKSUM,
    ),
    key=("slice_id",),
    hidden=("direction", "class_direction", "class_offset", CHECKSUM),
)
"""One row a slice. `error_rate`, its interval, `baseline_rate` and `lift` are those of the confirmation half.

Intervals are 95 %, those of R confirmed slices among the m of an audit 100 - 5 R / m %: see `judged_together`.

`baseline_patients`: of how many patients the rows outside are that `baseline_rate` or `baseline_loss` comes from.

In an audit of losses `true_class` and all numbers of errors are NULL, rows are those with a loss, whatever their label,
and `mean_loss`, its interval, `baseline_loss` (the mean outside), `lift` (NULL unless that is above 0 and no loss
below) and `discovery_…_loss` take their place; elsewhere those are NULL.
`stability`: how well searches over bootstrap samples of the discovery patients find the slice again, the mean Jaccard
overlap on the discovery rows of its class; 1 is the same rows every time, NULL where it was left out.
`sentence`: what the slice is, in words. `rule`: what its metadata have in common, such as "view = AP supine and
age > 70", NULL where no short rule holds; `rule_precision` and `rule_recall`: how many of the confirmation rows of the
slice's class that the rule takes are in the slice, and how many in the slice it takes; `rule_fewest_patients`: of how
many patients the smallest is of the four groups that slice and rule make of them, of those with any.
`share` with its interval: how much of the confirmation half (every sample that was scanned, whatever its class,
labelled or not) the rule takes.
"""

MEMBERSHIPS = TableContract(
    "memberships",
    (
        _text("audit_id", required=True),
        _text("slice_id", required=True),
        _text("sample_id", required=True),
        _text("half"),
        pa.field("label", _CLASS),
        pa.field("predicted", _CLASS),
        pa.field("error", pa.bool_()),
        _real("loss"),
        _real("score"),
        _real("class_probability"),
        _integer("rank"),
        _CHECKSUM,
    ),
    key=("slice_id", "sample_id"),
    repeated=("audit_id", "slice_id", "half"),
)
"""One row a slice and sample the slice's rule takes, whatever its class. `rank` 1 is the highest score.

`label`, `predicted`, `error` and `loss`: the audit's own truth of the slice's model and target, as in `audited`; NULL
for a sample that has none there. `score`: the rule's own.
`class_probability`: how likely the sample is of the slice's class, judged by its vector alone.
"""

COMPARISONS = TableContract(
    "comparisons",
    (
        _text("audit_id", required=True),
        _text("slice_id", required=True),
        _text("model", required=True),
        _integer("rows"),
        _integer("errors"),
        _integer("patients"),
        _real("error_rate"),
        _real("error_rate_low"),
        _real("error_rate_high"),
        _real("baseline_rate"),
        _real("lift"),
        _real("p_value"),
        _real("q_value"),
        pa.field("misread", pa.bool_()),
        _CHECKSUM,
    ),
    key=("slice_id", "model"),
)
"""One row a slice and model, where several models were audited on its target: how the model does on the slice.

Counts and rates are of the model's own confirmation rows of the slice's class, at its own threshold; `p_value` tests
that they are more often wrong inside, `misread` is `q_value` at most 0.05. The slice's own model has the slice's own
numbers.
"""


QUERIES = TableContract(
    "queries",
    (
        _text("name", required=True),
        _text("question", required=True),
        pa.field("saved_at", pa.timestamp("us", tz="UTC")),
        _CHECKSUM,
    ),
    key=("name",),
)
"""One row a question kept by name, to be asked again."""


def embeddings_contract(encoder: str, dimension: int | None = None) -> TableContract:
    """The table of one encoder's vectors, one row a sample; `input_checksum` names what was encoded."""
    size = -1 if dimension is None else dimension
    return TableContract(
        EMBEDDINGS_PREFIX + encoder,
        (
            _text("sample_id", required=True),
            pa.field(VECTOR, pa.list_(pa.float32(), size), nullable=False),
            _text("input_checksum"),
            _CHECKSUM,
        ),
        key=("sample_id",),
        hidden=(VECTOR, CHECKSUM),
    )


CONTRACTS: dict[str, TableContract] = {
    contract.name: contract
    for contract in (
        IMAGES,
        REPORTS,
        PREDICTIONS,
        AUDITS,
        AUDIT_TARGETS,
        AUDITED,
        SLICES,
        MEMBERSHIPS,
        PHRASES,
        CONTRAST_WORDS,
        EXAMPLES,
        VERDICTS,
        COMPARISONS,
        QUERIES,
    )
}


def contract_of(name: str) -> TableContract:
    """The contract of a table by its name; any `embeddings_…` table has one."""
    if name.startswith(EMBEDDINGS_PREFIX):
        return embeddings_contract(name.removeprefix(EMBEDDINGS_PREFIX))
    return CONTRACTS[name]


__all__ = [
    "AUDITED",
    "AUDITS",
    "AUDIT_TARGETS",
    "CHECKSUM",
    "COMPARISONS",
    "CONTRACTS",
    "CONTRAST_WORDS",
    "EMBEDDINGS_PREFIX",
    "EXAMPLES",
    "IMAGES",
    "MEMBERSHIPS",
    "PHRASES",
    "PICTURE",
    "PREDICTIONS",
    "QUERIES",
    "REPORTS",
    "SLICES",
    "VECTOR",
    "VERDICTS",
    "TableContract",
    "contract_of",
    "embeddings_contract",
]
