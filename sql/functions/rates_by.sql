-- name: rates_by
-- signature: rates_by(subgroup, confidence := 0.95)
-- inputs: subgroup (any expression over samples, such as sex, age > 60 or metadata_value(sample_id, 'age')); confidence (of the intervals, 0 to 1)
-- output: a table, one row a model, target and subgroup ('missing' where the expression is NULL; where any row has that, values are told from it as by value_label), of every labelled and predicted row whose split is not train: rows, patients, positives, sensitivity and specificity with intervals, error_rate, auroc; numbers that is_hidden_cell hides are NULL and suppressed is true: those from few patients and of the next smallest subgroups, which a total would tell; where few have one label there is no rate of either: that of the other, a fraction of its rows, would tell how many they are
-- units: counts; rates 0 to 1; a patient counts once in patients however many rows there are; intervals are widened where patients repeat
-- source: sensitivity, specificity, error_rate and auroc as those functions; intervals by rate_low and rate_high of patients' counts
-- reads: samples, value_label, is_hidden_cell, sensitivity, specificity, error_rate, auroc, rate_low, rate_high, is_training, patient_of
-- over: samples
CREATE MACRO rates_by(subgroup, confidence := 0.95) AS TABLE
WITH given AS (SELECT (confidence)::DOUBLE AS told_confidence), -- of no table, so that no name of one below is taken for it
told AS (
    SELECT
        samples.model AS told_model, samples.target AS told_target,
        coalesce('=' || (subgroup)::VARCHAR, '') AS told_value, -- '' is NULL's alone, and joins
        patient_of(samples.patient_id, samples.sample_id) AS patient,
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
        rate_low(found_in, with_it, confidence := (SELECT told_confidence FROM given)) AS sensitivity_low,
        rate_high(found_in, with_it, confidence := (SELECT told_confidence FROM given)) AS sensitivity_high,
        rate_low(cleared, without_it, confidence := (SELECT told_confidence FROM given)) AS specificity_low,
        rate_high(cleared, without_it, confidence := (SELECT told_confidence FROM given)) AS specificity_high
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
        sensitivity(truth, guess) AS sensitivity,
        specificity(truth, guess) AS specificity,
        error_rate(truth, guess) AS error_rate,
        auroc(truth, told_score) AS auroc
    FROM told
    GROUP BY ALL
),
hidden AS (
    SELECT
        told_model, told_target, rows, patients, positives, sensitivity, sensitivity_low, sensitivity_high,
        specificity, specificity_low, specificity_high, error_rate, auroc,
        is_hidden_cell(patients, (told_model, told_target), told_value) AS few,
        is_hidden_cell(patients_with, (told_model, told_target), told_value)
            OR is_hidden_cell(patients_without, (told_model, told_target), told_value) OR few AS few_of_one,
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
    CASE WHEN NOT few THEN COLUMNS(['rows', 'patients']) END,
    CASE WHEN NOT few_of_one THEN COLUMNS([
        'positives', 'sensitivity', 'sensitivity_low', 'sensitivity_high', 'specificity', 'specificity_low',
        'specificity_high', 'error_rate', 'auroc'
    ]) END,
    few_of_one AS suppressed
FROM hidden
ORDER BY told_model, told_target, label;
