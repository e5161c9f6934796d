-- name: models_and_targets
-- inputs: none
-- output: one row a model and target: how many predictions there are, with a label, and labelled 1 (each NULL where few patients have them; the last also where few have the other label, or as the next smallest target of a task, whose targets add up)
-- units: counts of predictions
-- reads: predictions, images, is_small_cell, is_hidden_cell, patient_of
WITH told AS (
    SELECT model, task, target, label, patient_of(patient_id, sample_id) AS patient
    FROM predictions LEFT JOIN (SELECT sample_id, patient_id FROM images) USING (sample_id)
),
counted AS (
    SELECT
        model, task, target,
        count(*) AS rows, count(label) AS known, count(*) FILTER (label = 1) AS with_it,
        count(DISTINCT patient) AS patients,
        count(DISTINCT patient) FILTER (label IS NOT NULL) AS patients_known,
        count(DISTINCT patient) FILTER (label = 1) AS patients_with,
        count(DISTINCT patient) FILTER (label = 0) AS patients_without
    FROM told
    GROUP BY model, task, target
)
SELECT
    model, task, target,
    CASE WHEN NOT is_hidden_cell(patients, 'the table', (model, target)) THEN rows END AS predictions,
    CASE WHEN NOT is_small_cell(patients_known) THEN known END AS labelled,
    CASE
        WHEN NOT is_hidden_cell(patients_with, (model, task, if(task IS NULL, target, NULL)), target)
            AND NOT is_small_cell(patients_without)
        THEN with_it
    END AS positive
FROM counted
ORDER BY model, task NULLS FIRST, target;
