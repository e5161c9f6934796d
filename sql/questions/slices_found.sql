-- name: slices_found
-- inputs: audit_ids (text): an audit, by its id or name, or several as in [a, b]
-- output: one row a slice of those audits, the newest first; of an audit the confirmed before others, whatever the model and target, then by q-value, and the most wrong (or of the highest loss) first; with its nearest phrase, whether the confirmation half bears that out, and the q-value that it gives it; numbers of few patients are NULL as slices_shown and phrases_shown have it
-- units: rows and errors are counts of the confirmation half; rates 0 to 1; losses as given; lift is a ratio; q_value, stability and phrase_q_value 0 to 1
-- reads: slices_shown, audits, phrases_shown, nearest_phrase
SELECT
    slice_id, s.model, s.target, s.error_kind, s.rows, s.errors, s.error_rate, s.error_rate_low, s.error_rate_high,
    s.baseline_rate, s.mean_loss, s.mean_loss_low, s.mean_loss_high, s.baseline_loss, s.lift,
    s.q_value, s.confirmed, s.stability,
    nearest_phrase(slice_id) AS nearest_phrase,
    (SELECT bool_or(p.borne_out) FROM phrases_shown() AS p WHERE p.slice_id = s.slice_id) AS borne_out,
    (SELECT arg_min_null(p.q_value, (NOT p.borne_out, p.rank)) FROM phrases_shown() AS p WHERE p.slice_id = s.slice_id) AS phrase_q_value
FROM slices_shown() AS s JOIN audits AS a USING (audit_id)
WHERE list_has_any(coalesce(TRY_CAST($audit_ids::VARCHAR AS VARCHAR[]), [$audit_ids::VARCHAR]), [audit_id, a.name])
ORDER BY a.created_at DESC, audit_id DESC, s.confirmed DESC, s.q_value, s.error_rate DESC, s.mean_loss DESC, s.model, s.target, slice_id;
