-- name: worst_subgroup
-- inputs: model, target (text)
-- output: for every metadata column its subgroup with the highest error rate, the worst column first; subgroups of few patients take no part
-- units: rates 0 to 1; rows and patients are counts
-- source: error_rate and Wilson's interval by metadata value, over labelled and predicted rows whose split is not train; ties by column and value
-- reads: samples, metadata, error_rate, error_rate_low, error_rate_high, is_small_cell
SELECT
    m.column_name, m.value AS subgroup,
    count(*) AS rows,
    count(DISTINCT coalesce(s.patient_id, s.sample_id)) AS patients,
    error_rate(s.label, s.predicted) AS error_rate,
    error_rate_low(s.label, s.predicted) AS error_rate_low,
    error_rate_high(s.label, s.predicted) AS error_rate_high
FROM samples AS s JOIN metadata AS m USING (sample_id)
WHERE s.model = $model AND s.target = $target AND s.error IS NOT NULL AND s.split IS DISTINCT FROM 'train'
GROUP BY m.column_name, m.value
HAVING NOT is_small_cell(patients)
QUALIFY row_number() OVER (PARTITION BY m.column_name ORDER BY error_rate DESC, m.value) = 1
ORDER BY error_rate DESC, m.column_name;
