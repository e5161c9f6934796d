-- name: audit_targets
-- inputs: audit_targets
-- output: one row a model and target of an audit: its threshold, what was audited and what was left out
-- units: rows and errors are counts; threshold and smallest effects (error rates) 0 to 1; smallest_effect_mean_loss, of an audit of losses, in their unit
-- reads: stored_audit_targets
CREATE VIEW audit_targets AS
SELECT
    audit_id, model, target, threshold, threshold_source, discovery_rows, discovery_errors,
    confirmation_rows, confirmation_errors, smallest_effect_rows, smallest_effect_false_negative,
    smallest_effect_false_positive, smallest_effect_mean_loss, left_out, left_out_patients, note
FROM stored_audit_targets;
