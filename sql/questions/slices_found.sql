-- name: slices_found
-- inputs: audit_ids (list of text)
-- output: one row a slice of those audits, the confirmed and most wrong (or of the highest loss) first, with its nearest phrase and the q-value that the confirmation half gives that; counts and rates of a small cell are NULL, and where it is one, inside or outside, the baseline and the lift (a fraction of the rows outside tells how many are inside); what tests gave (q_value, confirmed, stability, phrase_q_value) is told of every slice
-- units: rows and errors are counts of the confirmation half; rates 0 to 1; losses as given; lift is a ratio; q_value, stability and phrase_q_value 0 to 1
-- reads: slices, audits, phrases, nearest_phrase, is_small_cell, error_rate, error_rate_low, error_rate_high, mean_loss, lift
SELECT
    slice_id, s.model, s.target, s.error_kind,
    CASE WHEN NOT is_small_cell(s.confirmation_patients) THEN s.confirmation_rows END AS rows,
    CASE WHEN NOT is_small_cell(s.confirmation_patients) THEN s.confirmation_errors END AS errors,
    error_rate(slice_id) AS error_rate, error_rate_low(slice_id) AS error_rate_low,
    error_rate_high(slice_id) AS error_rate_high,
    CASE WHEN NOT is_small_cell(s.confirmation_patients) AND NOT is_small_cell(s.baseline_patients) THEN s.baseline_rate END AS baseline_rate,
    mean_loss(slice_id) AS mean_loss,
    CASE WHEN NOT is_small_cell(s.confirmation_patients) THEN s.mean_loss_low END AS mean_loss_low,
    CASE WHEN NOT is_small_cell(s.confirmation_patients) THEN s.mean_loss_high END AS mean_loss_high,
    CASE WHEN NOT is_small_cell(s.confirmation_patients) AND NOT is_small_cell(s.baseline_patients) THEN s.baseline_loss END AS baseline_loss,
    lift(slice_id) AS lift,
    s.q_value, s.confirmed, s.stability,
    nearest_phrase(slice_id) AS nearest_phrase,
    (SELECT arg_min_null(p.q_value, (NOT p.borne_out, p.rank)) FROM phrases AS p WHERE p.slice_id = s.slice_id) AS phrase_q_value
FROM slices AS s JOIN audits AS a USING (audit_id)
WHERE list_contains($audit_ids, audit_id)
ORDER BY a.created_at DESC, audit_id DESC, s.model, s.target, s.confirmed DESC, s.q_value, s.error_rate DESC, s.mean_loss DESC, slice_id;
