-- name: slice_size
-- signature: slice_size(slice_id)
-- inputs: slice_id (text)
-- output: how many confirmation-half rows of the slice's true class (for a slice of losses, rows with a loss) its rule takes; NULL for an unknown slice or a small cell
-- units: rows
-- source: slices.confirmation_rows, counted by the audit from memberships of its class and the confirmation half
-- reads: slices, is_small_cell
CREATE MACRO slice_size(slice) AS (
    SELECT map(list(s.slice_id), list(s.confirmation_rows)) FROM main.slices AS s
    WHERE NOT is_small_cell(s.confirmation_patients)
)[slice::VARCHAR];
