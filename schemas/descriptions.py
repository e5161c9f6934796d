"""The contracts of the tables that say what a slice is."""

import pyarrow as pa

from .contract import CHECKSUM_FIELD, TableContract, integer, real, text

PHRASES = TableContract(
    "phrases",
    (
        text("audit_id", required=True),
        text("slice_id", required=True),
        integer("rank"),
        text("phrase"),
        text("assertion"),
        text("source"),
        real("score"),
        integer("rows_inside"),
        integer("patients_inside"),
        real("rate_inside"),
        real("rate_inside_low"),
        real("rate_inside_high"),
        integer("lacking_inside"),
        integer("patients_outside"),
        integer("lacking_outside"),
        real("rate_outside"),
        real("lift"),
        real("lift_low"),
        real("lift_high"),
        real("z_score"),
        real("p_value"),
        real("q_value"),
        CHECKSUM_FIELD,
    ),
    key=("slice_id", "rank"),
)
"""One row a slice and phrase, chosen on discovery rows; every number but `score` is of the confirmation half.

`phrase` as people read it: `no chest drain`, `possible effusion`, `no mention of rotation`. `assertion`: what the
reports say of it, `present`, `absent`, `uncertain` or (of terms and the user's list) `unmentioned`; a value of metadata
is present.
`patients_inside`, `patients_outside`: how many different patients have rows of it there; `lacking_…`: rows without it.
`source`: where the phrase comes from, the store's `report`s or `metadata`, the built-in `term`s or the user's `list`.
`score`: how near the phrase lies to the slice, as the cosine between its vector and the way from the centroid of the
slice's class to the slice's; NULL where phrases have no vector. Rates are among rows of the slice's class (in an audit
of losses all rows that have one) that have a report, for metadata all of them. `q_value`: over every phrase tested in
the audit; NULL where nothing could be counted. A patient counts once in `p_value`, among patients of as many rows.
Where there are no reports, phrases of an image-text encoder have no counts and rates: `p_value` tells whether images
inside lie nearer to the phrase.
"""

CONTRAST_WORDS = TableContract(
    "contrast_words",
    (
        text("audit_id", required=True),
        text("slice_id", required=True),
        integer("rank"),
        text("word"),
        integer("count_inside"),
        integer("count_outside"),
        real("z_score"),
        real("q_value"),
        CHECKSUM_FIELD,
    ),
    key=("slice_id", "rank"),
)
"""One row a slice and word or pair of words that reports use more inside the slice than outside, in its class.

Words are chosen on discovery rows. Counts (of patients whose reports use it), `z_score` (log odds with an informative
Dirichlet prior) and `q_value` (over every word tested in the audit) are of the confirmation half.
"""

VERDICTS = TableContract(
    "verdicts",
    (
        text("audit_id", required=True),
        text("slice_id", required=True),
        text("verdict"),
        text("judged_by"),
        pa.field("judged_at", pa.timestamp("us", tz="UTC")),
        text("note"),
        CHECKSUM_FIELD,
    ),
    key=("slice_id", "judged_at", "judged_by"),
)
"""One row a judgement of a slice by somebody, as one of `misread.schemas.values.VERDICTS`; the newest counts.

`judged_at`: later than that of every judgement before, whatever the clock says.
"""

EXAMPLES = TableContract(
    "examples",
    (
        text("audit_id", required=True),
        text("slice_id", required=True),
        text("kind"),
        integer("rank"),
        text("sample_id"),
        text("neighbour_of"),
        real("distance"),
        CHECKSUM_FIELD,
    ),
    key=("slice_id", "kind", "rank"),
)
"""One row a slice and image that shows it. `kind` is `typical error` or `correct neighbour`.

A typical error is a wrongly read member near the middle of the slice's errors, `distance` being its distance from
there; a correct neighbour is the correctly read image of the same class nearest to the typical error `neighbour_of`,
at `distance` from it. Distances are in the fused space. Images may be of either half, at most one a patient and kind.
"""
