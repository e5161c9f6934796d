-- name: worst_subgroup
-- inputs: model, target (text)
-- output: for every metadata column its subgroup with the highest error rate, the worst column first; subgroups whose numbers rates_by hides take no part
-- units: rates 0 to 1; rows and patients are counts
-- source: errors / rows by metadata value, over labelled and predicted rows whose split is not train; ties by column and value. Intervals by rate_low and rate_high of patients' counts hold together for all subgroups that took part, of every column (Bonferroni: each at 1 - 0.05 / their number), as those shown were chosen for being high; error_rate itself reads higher than it would on other patients
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
counted AS (
    SELECT
        column_name, value, sum(own_rows)::BIGINT AS rows, count(*) AS patients, sum(own_errors) / sum(own_rows) AS error_rate,
        count(*) FILTER (has_it) AS patients_with, count(*) FILTER (has_it_not) AS patients_without
    FROM people
    GROUP BY column_name, value
),
compared AS (
    SELECT *, count(*) OVER () AS subgroups
    FROM (
        SELECT
            *,
            is_hidden_cell(patients, column_name, value) OR is_hidden_cell(patients_with, column_name, value)
                OR is_hidden_cell(patients_without, column_name, value) AS few
        FROM counted
    )
    WHERE NOT few
),
worst AS (
    FROM compared QUALIFY row_number() OVER (PARTITION BY column_name ORDER BY error_rate DESC, value) = 1
)
SELECT
    column_name, value AS subgroup, any_value(rows) AS rows, any_value(patients) AS patients,
    any_value(error_rate) AS error_rate,
    rate_low(own_errors, own_rows, confidence := 1 - 0.05 / any_value(subgroups)) AS error_rate_low,
    rate_high(own_errors, own_rows, confidence := 1 - 0.05 / any_value(subgroups)) AS error_rate_high
FROM worst JOIN people USING (column_name, value)
GROUP BY column_name, value
ORDER BY error_rate DESC, column_name;
