-- name: model_differences
-- inputs: comparisons, slices
-- output: one row a slice and model, where an audit judged the errors of several models on the target: who misreads the slice; none of an audit of losses
-- units: rows, errors and patients are counts of the confirmation half; rates 0 to 1; lift is a ratio; p and q values 0 to 1
-- source: misread: q_value at most 0.05; misread_by lists the models that do; found_for is the model whose errors gave the slice. Every model is tested by itself, against the rest of its own rows of the class, and never against another: one that is not listed was not shown to misread the slice, which does not show that it reads it better
-- reads: stored_comparisons, stored_slices
CREATE VIEW model_differences AS
SELECT
    c.audit_id, c.slice_id, s.target, s.true_class, s.error_kind, s.model AS found_for, c.model, c.rows, c.errors,
    c.patients, c.error_rate, c.error_rate_low, c.error_rate_high, c.baseline_rate, c.lift, c.p_value, c.q_value,
    c.misread,
    list(c.model ORDER BY c.model) FILTER (c.misread) OVER (PARTITION BY c.slice_id) AS misread_by
FROM stored_comparisons AS c JOIN stored_slices AS s USING (slice_id);
