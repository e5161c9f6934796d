-- name: missing_metadata
-- inputs: model, target (text)
-- output: for every metadata column with gaps: how many patients lack it, and the error rate where it is missing and where it is known; NULL where is_hidden_cell hides either (a total less the one would tell the other), a rate also where it hides those of one class
-- units: rates 0 to 1; patients are counts of different patients
-- source: error_rate over labelled and predicted rows whose split is not train; the two groups differ in more than the gap
-- reads: samples, metadata, error_rate, is_hidden_cell, is_training, patient_of
WITH told AS (
    SELECT
        m.column_name, m.value = 'missing' AS gone,
        count(DISTINCT patient_of(s.patient_id, s.sample_id)) AS patients,
        count(DISTINCT patient_of(s.patient_id, s.sample_id)) FILTER (s.label = 1) AS patients_with,
        count(DISTINCT patient_of(s.patient_id, s.sample_id)) FILTER (s.label = 0) AS patients_without,
        error_rate(s.label, s.predicted) AS rate
    FROM samples AS s JOIN metadata AS m USING (sample_id)
    WHERE s.model = $model AND s.target = $target AND s.error IS NOT NULL AND NOT is_training(s.split)
    GROUP BY ALL
),
hidden AS (
    SELECT
        *, is_hidden_cell(patients, column_name, gone) AS few,
        few OR is_hidden_cell(patients_with, column_name, gone)
            OR is_hidden_cell(patients_without, column_name, gone) AS few_of_one
    FROM told
)
SELECT
    column_name,
    max(patients) FILTER (gone AND NOT few) AS patients_missing,
    max(patients) FILTER (NOT gone AND NOT few) AS patients_known,
    max(rate) FILTER (gone AND NOT few_of_one) AS error_rate_missing,
    max(rate) FILTER (NOT gone AND NOT few_of_one) AS error_rate_known
FROM hidden
GROUP BY column_name
HAVING count(*) = 2
ORDER BY max(patients) FILTER (gone) DESC, column_name;
