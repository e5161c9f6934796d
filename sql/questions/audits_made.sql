-- name: audits_made
-- inputs: none
-- output: one row an audit, the newest first
-- units: created_at in UTC; slices and confirmed_slices are counts
-- reads: audits
SELECT
    audit_id, name, created_at, models, targets, "where", slices, confirmed_slices, notes
FROM audits
ORDER BY created_at DESC, audit_id DESC;
