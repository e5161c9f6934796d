-- name: missing_metadata
-- inputs: model, target (text)
-- output: for every metadata column with gaps: how many patients lack it, and the error rate where it is missing and where it is known; NULL from few patients, and the rate also from few of one class
-- units: rates 0 to 1; patients are counts of different patients
-- source: error_rate over labelled and predicted rows whose split is not train; the two groups differ in more than the gap
-- reads: samples, metadata, error_rate, is_small_cell, is_training
WITH told AS (
    SELECT
        m.column_name,
        count(DISTINCT coalesce(s.patient_id, s.sample_id)) FILTER (m.value = 'missing') AS lacking,
        count(DISTINCT coalesce(s.patient_id, s.sample_id)) FILTER (m.value <> 'missing') AS known,
        count(DISTINCT coalesce(s.patient_id, s.sample_id)) FILTER (m.value = 'missing' AND s.label = 1) AS lacking_1,
        count(DISTINCT coalesce(s.patient_id, s.sample_id)) FILTER (m.value = 'missing' AND s.label = 0) AS lacking_0,
        count(DISTINCT coalesce(s.patient_id, s.sample_id)) FILTER (m.value <> 'missing' AND s.label = 1) AS known_1,
        count(DISTINCT coalesce(s.patient_id, s.sample_id)) FILTER (m.value <> 'missing' AND s.label = 0) AS known_0,
        error_rate(if(m.value = 'missing', s.label, NULL), s.predicted) AS error_rate_missing,
        error_rate(if(m.value <> 'missing', s.label, NULL), s.predicted) AS error_rate_known
    FROM samples AS s JOIN metadata AS m USING (sample_id)
    WHERE s.model = $model AND s.target = $target AND s.error IS NOT NULL AND NOT is_training(s.split)
    GROUP BY m.column_name
)
SELECT
    column_name,
    CASE WHEN NOT is_small_cell(lacking) THEN lacking END AS patients_missing,
    CASE WHEN NOT is_small_cell(known) THEN known END AS patients_known,
    CASE
        WHEN NOT is_small_cell(lacking) AND NOT is_small_cell(lacking_1) AND NOT is_small_cell(lacking_0)
        THEN error_rate_missing
    END AS error_rate_missing,
    CASE
        WHEN NOT is_small_cell(known) AND NOT is_small_cell(known_1) AND NOT is_small_cell(known_0)
        THEN error_rate_known
    END AS error_rate_known
FROM told
WHERE lacking > 0 AND known > 0
ORDER BY lacking DESC, column_name;
