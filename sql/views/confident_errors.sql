-- name: confident_errors
-- inputs: audited
-- output: one row an error of an audit, ranked within model, target and true class, the most confidently wrong first
-- units: score, threshold and confidence 0 to 1; rank 1 is the most confident, ties by sample_id
-- source: confidence is the score of the class that was wrongly predicted: 1 - score for a missed positive
-- reads: audited
CREATE VIEW confident_errors AS
SELECT
    audit_id, model, target, label AS true_class, error_kind, sample_id, half, score, threshold,
    if(label = 1, 1 - score, score) AS confidence,
    row_number() OVER (
        PARTITION BY audit_id, model, target, label ORDER BY if(label = 1, 1 - score, score) DESC, sample_id
    ) AS rank
FROM audited
WHERE error;
