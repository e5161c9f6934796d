-- name: worst_subgroup
-- inputs: model, target (text)
-- output: for every metadata column its subgroup with the highest error rate, the worst column first; subgroups whose numbers rates_by hides take no part
-- units: rates 0 to 1; rows and patients are counts
-- source: errors / rows by metadata value, interval by rate_low and rate_high of patients' counts, over labelled and predicted rows whose split is not train; ties by column and value. The worst of many subgroups reads worse than it would on other patients, and its interval does not know that it was chosen
-- reads: samples, metadata, is_hidden_cell, rate_low, rate_high, is_training, patient_of
WITH people AS (
    SELECT
        m.column_name, m.value, patient_of(s.patient_id, s.sample_id) AS patient,
        count(*) AS own_rows, count(*) FILTER (s.error) AS own_errors,
        bool_or(s.label = 1) AS has_it, bool_or(s.label = 0) AS has_it_not
    FROM samples AS s JOIN metadata AS m USING (sample_id)
    WHERE s.model = $model AND s.target = $target AND s.error IS NOT NULL AND NOT is_training(s.split)
    GROUP BY ALL
),
told AS (
    SELECT
        column_name, value, sum(own_rows)::BIGINT AS rows, count(*) AS patients, sum(own_errors) AS errors,
        count(*) FILTER (has_it) AS patients_with, count(*) FILTER (has_it_not) AS patients_without,
        rate_low(own_errors, own_rows) AS error_rate_low, rate_high(own_errors, own_rows) AS error_rate_high
    FROM people
    GROUP BY column_name, value
)
SELECT
    column_name, value AS subgroup, rows, patients,
    errors / rows AS error_rate, error_rate_low, error_rate_high
FROM (
    SELECT
        *,
        is_hidden_cell(patients, column_name, value) OR is_hidden_cell(patients_with, column_name, value)
            OR is_hidden_cell(patients_without, column_name, value) AS few
    FROM told
)
WHERE NOT few
QUALIFY row_number() OVER (PARTITION BY column_name ORDER BY errors / rows DESC, value) = 1
ORDER BY error_rate DESC, column_name;
