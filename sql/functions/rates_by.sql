-- name: rates_by
-- signature: rates_by(subgroup, confidence := 0.95)
-- inputs: subgroup (any expression over samples, such as sex, age > 60 or metadata_value(sample_id, 'age')); confidence (of the intervals, 0 to 1)
-- output: a table, one row a model, target and subgroup ('missing' where the expression is NULL; where any row has that, values are told from it as by value_label), of every labelled and predicted row whose split is not train: rows, patients, positives, sensitivity and specificity with intervals, error_rate, auroc; numbers that is_hidden_cell hides are NULL and suppressed is true: those from few patients and of the next smallest subgroups, which a total would tell; where few have one label there is no rate of either: that of the other, a fraction of its rows, would tell how many they are
-- units: counts; rates 0 to 1; a patient counts once in patients however many rows there are; intervals are widened where patients repeat
-- source: sensitivity, specificity, error_rate and auroc as those functions; intervals by rate_low and rate_high of patients' counts
-- reads: samples, value_label, is_hidden_cell, sensitivity, specificity, error_rate, auroc, rate_low, rate_high, is_training, patient_of
-- over: samples
CREATE MACRO rates_by(subgroup, confidence := 0.95) AS TABLE
WITH _given AS (SELECT (confidence)::DOUBLE AS _confidence), -- of no table, so that no name of one below is taken for it
told AS (
    SELECT
        samples.model AS _model, samples.target AS _target,
        coalesce('=' || (subgroup)::VARCHAR, '') AS _value, -- '' is NULL's alone, and joins
        patient_of(samples.patient_id, samples.sample_id) AS _patient,
        samples.label AS _truth, samples.predicted AS _guess, samples.score AS _score
    FROM main.samples
    WHERE samples.error IS NOT NULL AND NOT is_training(samples.split)
),
people AS (
    SELECT
        _model, _target, _value, _patient,
        count(*) FILTER (_truth = 1) AS with_it,
        count(*) FILTER (_truth = 1 AND _guess = 1) AS found_in,
        count(*) FILTER (_truth = 0) AS without_it,
        count(*) FILTER (_truth = 0 AND _guess = 0) AS cleared
    FROM told
    GROUP BY ALL
),
widened AS (
    SELECT
        _model, _target, _value,
        rate_low(found_in, with_it, confidence := (SELECT _confidence FROM _given)) AS sensitivity_low,
        rate_high(found_in, with_it, confidence := (SELECT _confidence FROM _given)) AS sensitivity_high,
        rate_low(cleared, without_it, confidence := (SELECT _confidence FROM _given)) AS specificity_low,
        rate_high(cleared, without_it, confidence := (SELECT _confidence FROM _given)) AS specificity_high
    FROM people
    GROUP BY ALL
),
counted AS (
    SELECT
        _model, _target, _value,
        count(*) AS rows,
        count(DISTINCT _patient) AS patients,
        count(DISTINCT _patient) FILTER (_truth = 1) AS patients_with,
        count(DISTINCT _patient) FILTER (_truth = 0) AS patients_without,
        count(*) FILTER (_truth = 1) AS positives,
        sensitivity(_truth, _guess) AS sensitivity,
        specificity(_truth, _guess) AS specificity,
        error_rate(_truth, _guess) AS error_rate,
        auroc(_truth, _score) AS auroc
    FROM told
    GROUP BY ALL
),
hidden AS (
    SELECT
        _model, _target, rows, patients, positives, sensitivity, sensitivity_low, sensitivity_high,
        specificity, specificity_low, specificity_high, error_rate, auroc,
        is_hidden_cell(patients, (_model, _target), _value) AS few,
        is_hidden_cell(patients_with, (_model, _target), _value)
            OR is_hidden_cell(patients_without, (_model, _target), _value) OR few AS few_of_one,
        CASE
            WHEN _value = '' THEN 'missing'
            WHEN bool_or(_value = '') OVER () THEN value_label(_value[2:])
            ELSE _value[2:]
        END AS label
    FROM counted JOIN widened USING (_model, _target, _value)
)
SELECT
    _model AS model,
    _target AS target,
    label AS subgroup,
    CASE WHEN NOT few THEN COLUMNS(['rows', 'patients']) END,
    CASE WHEN NOT few_of_one THEN COLUMNS([
        'positives', 'sensitivity', 'sensitivity_low', 'sensitivity_high', 'specificity', 'specificity_low',
        'specificity_high', 'error_rate', 'auroc'
    ]) END,
    few_of_one AS suppressed
FROM hidden
ORDER BY _model, _target, label;
