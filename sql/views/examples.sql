-- name: examples
-- inputs: examples
-- output: one row a slice and image that shows it: its typical errors, at most one a patient, and of each the nearest image of the class that is read correctly, of another patient and of none taken before (neighbour_of names the error), of either half; in an audit of losses those of high losses and of low ones
-- units: distance in the fused space
-- reads: stored_examples
CREATE VIEW examples AS
SELECT
    audit_id, slice_id, kind, rank, sample_id, neighbour_of, distance
FROM stored_examples;
