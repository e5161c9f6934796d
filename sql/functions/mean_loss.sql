-- name: mean_loss
-- signature: mean_loss(slice_id)
-- inputs: slice_id (text)
-- output: the mean loss of a slice's confirmation-half rows that have one; NULL for an unknown slice, one of few patients (slices_shown) or one of errors
-- units: as the losses of the predictions
-- source: slices.mean_loss, as the audit found it on the confirmation half
-- reads: slices_shown
CREATE MACRO mean_loss(slice) AS (
    SELECT map(list(s.slice_id), list(s.mean_loss)) FROM slices_shown() AS s
)[slice::VARCHAR];
