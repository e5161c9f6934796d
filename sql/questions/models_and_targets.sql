-- name: models_and_targets
-- inputs: none
-- output: one row a model and target: how many predictions there are, with a label, and labelled 1
-- units: counts of predictions
-- reads: predictions
SELECT
    model, task, target,
    count(*) AS predictions,
    count(label) AS labelled,
    count(*) FILTER (label = 1) AS positive
FROM predictions
GROUP BY model, task, target
ORDER BY model, task NULLS FIRST, target;
