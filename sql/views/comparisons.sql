-- name: comparisons
-- inputs: comparisons
-- output: one row a slice and model, where an audit judged the errors of several models on the target: how the model does on it; none of an audit of losses
-- units: rows, errors and patients are counts of the confirmation half; rates 0 to 1; lift is a ratio; p and q 0 to 1; intervals are 95 %, of other models that were shown to misread a slice wider, as those of confirmed slices
-- reads: stored_comparisons
CREATE VIEW comparisons AS
SELECT
    audit_id, slice_id, model, rows, errors, patients, error_rate, error_rate_low, error_rate_high,
    baseline_rate, lift, p_value, q_value, misread
FROM stored_comparisons;
