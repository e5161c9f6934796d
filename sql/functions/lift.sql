-- name: lift
-- signature: lift(slice_id)
-- inputs: slice_id (text)
-- output: error rate inside the slice over that of the rest of its true class, or mean loss inside over that of the rest; NULL for an unknown slice, for one of few patients (slices_shown), where the mean loss of the rest is not above 0, and where losses are below 0
-- units: ratio
-- source: slices.lift, as the audit found it on the confirmation half
-- reads: slices_shown
CREATE MACRO lift(slice) AS (
    SELECT map(list(s.slice_id), list(s.lift)) FROM slices_shown() AS s
)[slice::VARCHAR];
