-- name: audited
-- inputs: audited
-- output: one row a sample, model and target that an audit judged: the audit's own truth; an audit of losses has loss and no error, any other no loss
-- units: label and predicted 0 or 1; score and threshold 0 to 1; loss as given; half 'discovery' or 'confirmation'
-- reads: stored_audited
CREATE VIEW audited AS
SELECT
    audit_id, model, target, sample_id, half, label, score, threshold, predicted, error, error_kind, loss
FROM stored_audited;
