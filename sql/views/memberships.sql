-- name: memberships
-- inputs: memberships
-- output: one row a slice and sample that the slice's rule takes, whatever its class
-- units: score is the rule's own, in standard deviations of the slice's class; class_probability 0 to 1; rank 1 is the highest score
-- reads: stored_memberships
CREATE VIEW memberships AS
SELECT
    audit_id, slice_id, sample_id, half, score, class_probability, rank
FROM stored_memberships;
