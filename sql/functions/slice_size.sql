-- name: slice_size
-- inputs: slice_id (text)
-- output: how many confirmation-half rows of the slice's true class its rule takes; NULL for an unknown slice
-- units: rows
-- source: slices.confirmation_rows, counted by the audit from memberships joined with audited
-- reads: slices
CREATE MACRO slice_size(slice) AS
    (SELECT map(list(slice_id), list(confirmation_rows)) FROM main.slices)[slice::VARCHAR];
