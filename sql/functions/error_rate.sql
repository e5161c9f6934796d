-- name: error_rate
-- signature: error_rate(slice_id); error_rate(label, predicted)
-- inputs: slice_id (text), or label, predicted (0 or 1 a row)
-- output: the share of a slice's confirmation-half rows of its true class that were wrong (NULL for an unknown slice, one of few patients (slices_shown) or one of losses); or, as an aggregate, of all rows where neither is NULL (NULL without any)
-- units: 0 to 1
-- source: slices.error_rate, counted by the audit from memberships of its class and the confirmation half; or errors / rows
-- reads: slices_shown
CREATE MACRO error_rate
    (slice) AS (
        SELECT map(list(s.slice_id), list(s.error_rate)) FROM slices_shown() AS s
    )[slice::VARCHAR],
    (label, predicted) AS avg((label <> predicted)::INTEGER);
