-- name: slices_shown
-- signature: slices_shown()
-- inputs: none
-- output: a table, one row a slice of any audit: what the confirmation half says of it, as functions, commands and reports show it: with few patients (is_small_cell) inside, or outside in its class, all numbers and the rule are NULL, the q-value among them, which would tell them, and suppressed is true; rule_precision and rule_recall also where few are in a group that slice and rule make; what the search gave (stability) and whether it is confirmed are told of every slice
-- units: rows, errors and patients are counts; rates 0 to 1; losses as given; lift is a ratio; q_value and stability 0 to 1
-- source: the view slices
-- reads: slices, is_small_cell
CREATE MACRO slices_shown() AS TABLE
SELECT
    audit_id, slice_id, model, target, true_class, error_kind, confirmed, stability,
    CASE WHEN NOT suppressed THEN COLUMNS([
        'rows', 'errors', 'patients', 'share', 'share_low', 'share_high', 'error_rate', 'error_rate_low',
        'error_rate_high', 'baseline_rate', 'mean_loss', 'mean_loss_low', 'mean_loss_high', 'baseline_loss', 'lift',
        'q_value', 'rule'
    ]) END,
    CASE WHEN NOT (suppressed OR is_small_cell(coalesce(rule_fewest_patients, 1))) THEN COLUMNS(['rule_precision', 'rule_recall']) END,
    suppressed
FROM (
    SELECT
        * RENAME (confirmation_rows AS rows, confirmation_errors AS errors, confirmation_patients AS patients),
        is_small_cell(confirmation_patients) OR is_small_cell(baseline_patients) AS suppressed
    FROM main.slices
);
