-- name: memberships
-- inputs: memberships
-- output: one row a slice and sample that the slice's rule takes, whatever its class, with the audit's own truth of the slice's model and target (NULL where the sample has none)
-- units: label and predicted 0 or 1; loss as given; score is the rule's own, in standard deviations of the slice's class; class_probability 0 to 1; rank 1 is the highest score
-- reads: stored_memberships
CREATE VIEW memberships AS
SELECT
    audit_id, slice_id, sample_id, half, label, predicted, error, loss, score, class_probability, rank
FROM stored_memberships;
