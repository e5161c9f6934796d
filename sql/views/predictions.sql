-- name: predictions
-- inputs: predictions, audits, audit_targets
-- output: one row a sample, model and target, with what was predicted, whether it was wrong, and how
-- units: label and predicted 0 or 1; score and threshold 0 to 1; loss as given; error_kind 'false negative', 'false positive' or NULL
-- source: predicted = score >= threshold (the given one of the model and target, else the newest audit's, else NULL); in a task, predicted = 1 for the highest score of the sample and model, ties to the first target by name; NULL without a score
-- reads: stored_predictions, stored_audits, stored_audit_targets
CREATE VIEW predictions AS
WITH given AS (
    SELECT model, target, max(threshold) AS threshold
    FROM stored_predictions
    WHERE task IS NULL AND threshold IS NOT NULL
    GROUP BY model, target
),
found AS (
    SELECT t.model, t.target, arg_max(t.threshold, (a.created_at, a.audit_id)) AS threshold
    FROM stored_audit_targets AS t JOIN stored_audits AS a USING (audit_id)
    WHERE t.threshold IS NOT NULL
    GROUP BY t.model, t.target
),
alone AS (
    SELECT p.* REPLACE (coalesce(given.threshold, found.threshold) AS threshold)
    FROM stored_predictions AS p
    LEFT JOIN given ON given.model = p.model AND given.target = p.target
    LEFT JOIN found ON found.model = p.model AND found.target = p.target
    WHERE p.task IS NULL
),
of_a_task AS (
    SELECT
        * REPLACE (NULL::DOUBLE AS threshold),
        row_number() OVER (PARTITION BY sample_id, model, task ORDER BY score DESC, target) AS place
    FROM stored_predictions
    WHERE task IS NOT NULL
),
judged AS (
    SELECT sample_id, model, task, target, label, score, threshold, loss,
           (score >= threshold)::TINYINT AS predicted
    FROM alone
    UNION ALL
    SELECT sample_id, model, task, target, label, score, threshold, loss,
           CASE WHEN score IS NOT NULL THEN (place = 1)::TINYINT END AS predicted
    FROM of_a_task
)
SELECT
    sample_id, model, task, target, label, score, threshold, loss, predicted,
    predicted <> label AS error,
    CASE
        WHEN predicted = 0 AND label = 1 THEN 'false negative'
        WHEN predicted = 1 AND label = 0 THEN 'false positive'
    END AS error_kind
FROM judged;
