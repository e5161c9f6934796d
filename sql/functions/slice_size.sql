-- name: slice_size
-- signature: slice_size(slice_id)
-- inputs: slice_id (text)
-- output: how many confirmation-half rows of the slice's true class (for a slice of losses, rows with a loss) its rule takes; NULL for an unknown slice or one of few patients (slices_shown)
-- units: rows
-- source: slices.confirmation_rows, counted by the audit from memberships of its class and the confirmation half
-- reads: slices_shown
CREATE MACRO slice_size(slice) AS (
    SELECT map(list(s.slice_id), list(s.rows)) FROM slices_shown() AS s
)[slice::VARCHAR];
