-- name: small_cells
-- inputs: model, target (text)
-- output: the metadata values that too few patients have to say anything of them: one row a column, how many such values, and of how many patients in all (NULL where these are few themselves)
-- units: counts
-- source: fewer than 11 different patients, over labelled and predicted rows whose split is not train
-- reads: samples, metadata, is_few, is_small_cell, is_training, patient_of
WITH told AS (
    SELECT m.column_name, m.value, list(DISTINCT patient_of(s.patient_id, s.sample_id)) AS patients
    FROM samples AS s JOIN metadata AS m USING (sample_id)
    WHERE s.model = $model AND s.target = $target AND s.error IS NOT NULL AND NOT is_training(s.split)
    GROUP BY ALL
),
counted AS (
    SELECT
        column_name,
        count(*) FILTER (is_few(len(patients))) AS small_values,
        count(*) AS values,
        len(list_distinct(flatten(list(patients) FILTER (is_few(len(patients)))))) AS together
    FROM told
    GROUP BY column_name
)
SELECT
    column_name, small_values, values,
    CASE WHEN NOT is_small_cell(together) THEN together END AS patients_in_small_values
FROM counted
WHERE small_values > 0
ORDER BY small_values DESC, column_name;
