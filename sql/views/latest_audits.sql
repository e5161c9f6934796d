-- name: latest_audits
-- inputs: audits, audit_targets
-- output: one row a model and target that was ever audited: its newest audit
-- units: created_at in UTC; of two audits of one moment the higher audit_id counts as the newer
-- reads: audits, audit_targets
CREATE VIEW latest_audits AS
SELECT
    t.model, t.target,
    arg_max(a.audit_id, (a.created_at, a.audit_id)) AS audit_id,
    max(a.created_at) AS created_at
FROM main.audit_targets AS t JOIN main.audits AS a USING (audit_id)
GROUP BY t.model, t.target;
