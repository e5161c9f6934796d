-- name: rates_by
-- signature: rates_by(subgroup)
-- inputs: subgroup (any expression over samples, such as sex, age > 60 or metadata_value(sample_id, 'age'))
-- output: a table, one row a model, target and subgroup ('missing' where the expression is NULL; where any row has that, values are told from it as by value_label), of every labelled and predicted row whose split is not train: rows, patients, positives, sensitivity and specificity with 95 % intervals, error_rate, auroc; numbers from fewer than smallest_cell() patients are NULL and suppressed is true, and where so few have one label there is no rate of either: that of the other, a fraction of its rows, would tell how many they are
-- units: counts; rates 0 to 1; a patient counts once in patients however many rows there are; intervals are widened where patients repeat
-- source: sensitivity, specificity, error_rate and auroc as those functions; intervals by rate_low and rate_high of patients' counts
-- reads: samples, value_label, is_small_cell, sensitivity, specificity, error_rate, auroc, rate_low, rate_high, is_training
-- over: samples
CREATE MACRO rates_by(subgroup) AS TABLE
WITH told AS (
    SELECT
        samples.model AS told_model, samples.target AS told_target,
        coalesce('=' || (subgroup)::VARCHAR, '') AS told_value, -- '' is NULL's alone, and joins
        coalesce(samples.patient_id, samples.sample_id) AS patient,
        samples.label AS truth, samples.predicted AS guess, samples.score AS told_score
    FROM main.samples
    WHERE samples.error IS NOT NULL AND NOT is_training(samples.split)
),
people AS (
    SELECT
        told_model, told_target, told_value, patient,
        count(*) FILTER (truth = 1) AS with_it,
        count(*) FILTER (truth = 1 AND guess = 1) AS found_in,
        count(*) FILTER (truth = 0) AS without_it,
        count(*) FILTER (truth = 0 AND guess = 0) AS cleared
    FROM told
    GROUP BY ALL
),
widened AS (
    SELECT
        told_model, told_target, told_value,
        rate_low(found_in, with_it) AS low_1, rate_high(found_in, with_it) AS high_1,
        rate_low(cleared, without_it) AS low_0, rate_high(cleared, without_it) AS high_0
    FROM people
    GROUP BY ALL
),
counted AS (
    SELECT
        told_model, told_target, told_value,
        count(*) AS rows,
        count(DISTINCT patient) AS patients,
        count(DISTINCT patient) FILTER (truth = 1) AS patients_with,
        count(DISTINCT patient) FILTER (truth = 0) AS patients_without,
        count(*) FILTER (truth = 1) AS positives,
        sensitivity(truth, guess) AS rate_1,
        specificity(truth, guess) AS rate_0,
        error_rate(truth, guess) AS rate_wrong,
        auroc(truth, told_score) AS area
    FROM told
    GROUP BY ALL
),
hidden AS (
    SELECT
        *,
        is_small_cell(patients) AS few,
        is_small_cell(patients_with) OR is_small_cell(patients_without) AS few_of_one,
        CASE
            WHEN told_value = '' THEN 'missing'
            WHEN bool_or(told_value = '') OVER () THEN value_label(told_value[2:])
            ELSE told_value[2:]
        END AS label
    FROM counted JOIN widened USING (told_model, told_target, told_value)
)
SELECT
    told_model AS model,
    told_target AS target,
    label AS subgroup,
    CASE WHEN NOT few THEN rows END AS rows,
    CASE WHEN NOT few THEN patients END AS patients,
    CASE WHEN NOT few_of_one THEN positives END AS positives,
    CASE WHEN NOT few_of_one THEN rate_1 END AS sensitivity,
    CASE WHEN NOT few_of_one THEN low_1 END AS sensitivity_low,
    CASE WHEN NOT few_of_one THEN high_1 END AS sensitivity_high,
    CASE WHEN NOT few_of_one THEN rate_0 END AS specificity,
    CASE WHEN NOT few_of_one THEN low_0 END AS specificity_low,
    CASE WHEN NOT few_of_one THEN high_0 END AS specificity_high,
    CASE WHEN NOT few_of_one THEN rate_wrong END AS error_rate,
    CASE WHEN NOT few_of_one THEN area END AS auroc,
    few_of_one AS suppressed
FROM hidden
ORDER BY told_model, told_target, label;
