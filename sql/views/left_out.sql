-- name: left_out
-- inputs: audit_targets
-- output: one row an audit, model, target and reason for which rows were left out
-- units: rows is a count
-- reads: stored_audit_targets
CREATE VIEW left_out AS
SELECT audit_id, model, target, gone.reason AS reason, gone.rows AS rows
FROM (
    SELECT audit_id, model, target, unnest(left_out) AS gone
    FROM stored_audit_targets
);
