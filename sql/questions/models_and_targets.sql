-- name: models_and_targets
-- inputs: none
-- output: one row a model and target: how many predictions there are, with a label, and labelled 1 (NULL where few patients have, or have not, that label)
-- units: counts of predictions
-- reads: predictions, images, is_small_cell
SELECT
    model, task, target,
    count(*) AS predictions,
    count(label) AS labelled,
    CASE
        WHEN NOT is_small_cell(count(DISTINCT coalesce(patient_id, sample_id)) FILTER (label = 1))
            AND NOT is_small_cell(count(DISTINCT coalesce(patient_id, sample_id)) FILTER (label = 0))
        THEN count(*) FILTER (label = 1)
    END AS positive
FROM predictions LEFT JOIN (SELECT sample_id, patient_id FROM images) USING (sample_id)
GROUP BY model, task, target
ORDER BY model, task NULLS FIRST, target;
