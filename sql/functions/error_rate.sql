-- name: error_rate
-- inputs: slice_id (text)
-- output: the share of those rows that the classifier got wrong; NULL for an unknown slice or one without such rows
-- units: 0 to 1
-- source: slices.error_rate, counted by the audit from memberships joined with audited
-- reads: slices
CREATE MACRO error_rate(slice) AS
    (SELECT map(list(slice_id), list(error_rate)) FROM main.slices)[slice::VARCHAR];
