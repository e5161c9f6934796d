-- name: gap_between_subgroups
-- inputs: model, target, column_name (text): a metadata column, numbers in quarters
-- output: one row: the subgroups with the highest and the lowest sensitivity, each with its number of patients, and the gap between them with an interval; no rows where fewer than two subgroups have enough patients
-- units: rates and gap 0 to 1
-- source: Newcombe (1998) method 10, from two intervals of rates_by (Zou and Donner 2008 where these are widened). The two are chosen for being furthest apart, so the gap reads larger than it would on other patients; the intervals of the gaps of all pairs of subgroups hold together (Bonferroni: each at 1 - 0.05 / their number; of one pair at 95 %), and so does that of the chosen one. The two are taken for different patients, and where a patient has samples in both the interval is mostly too wide
-- reads: rates_by, metadata_value
WITH compared AS (
    SELECT greatest(count(*) * (count(*) - 1) / 2, 1) AS pairs
    FROM rates_by(metadata_value(sample_id, $column_name))
    WHERE model = $model AND target = $target AND sensitivity IS NOT NULL
),
told AS (
    FROM rates_by(metadata_value(sample_id, $column_name), confidence := (SELECT 1 - 0.05 / pairs FROM compared))
    WHERE model = $model AND target = $target AND sensitivity IS NOT NULL
),
ends AS (
    SELECT
        arg_max(told, (sensitivity, subgroup)) AS best,
        arg_min(told, (sensitivity, subgroup)) AS worst
    FROM told
    HAVING count(*) > 1
)
SELECT
    best.subgroup AS best, best.sensitivity AS best_sensitivity, best.patients AS best_patients,
    worst.subgroup AS worst, worst.sensitivity AS worst_sensitivity, worst.patients AS worst_patients,
    best.sensitivity - worst.sensitivity AS gap,
    gap - sqrt((best.sensitivity - best.sensitivity_low) ^ 2 + (worst.sensitivity_high - worst.sensitivity) ^ 2) AS gap_low,
    gap + sqrt((best.sensitivity_high - best.sensitivity) ^ 2 + (worst.sensitivity - worst.sensitivity_low) ^ 2) AS gap_high
FROM ends;
