-- name: error_rate
-- signature: error_rate(slice_id); error_rate(label, predicted)
-- inputs: slice_id (text), or label, predicted (0 or 1 a row)
-- output: the share of a slice's confirmation-half rows of its true class that were wrong (NULL for an unknown slice, a small cell or a slice of losses); or, as an aggregate, of all rows where neither is NULL (NULL without any)
-- units: 0 to 1
-- source: slices.error_rate, counted by the audit from memberships of its class and the confirmation half; or errors / rows
-- reads: slices, is_small_cell
CREATE MACRO error_rate
    (slice) AS (
        SELECT map(list(s.slice_id), list(s.error_rate)) FROM main.slices AS s
        WHERE NOT is_small_cell(s.confirmation_patients)
    )[slice::VARCHAR],
    (label, predicted) AS avg((label <> predicted)::INTEGER);
