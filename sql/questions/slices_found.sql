-- name: slices_found
-- inputs: audit_ids (list of text)
-- output: one row a slice of those audits, the confirmed and most wrong first, with its best phrase
-- units: rows and errors are counts of the confirmation half; rates 0 to 1; lift is a ratio; q_value and stability 0 to 1
-- reads: slices, audits, nearest_phrase
SELECT
    slice_id, s.model, s.target, s.error_kind,
    s.confirmation_rows AS rows, s.confirmation_errors AS errors,
    s.error_rate, s.error_rate_low, s.error_rate_high, s.baseline_rate, s.lift, s.q_value, s.confirmed, s.stability,
    nearest_phrase(slice_id) AS nearest_phrase
FROM slices AS s JOIN audits AS a USING (audit_id)
WHERE list_contains($audit_ids, audit_id)
ORDER BY a.created_at DESC, audit_id DESC, s.model, s.target, s.confirmed DESC, s.q_value, s.error_rate DESC, slice_id;
