-- name: slice_by
-- signature: slice_by(subgroup)
-- inputs: subgroup (any expression over samples, such as sex, age > 60 or metadata_value(sample_id, 'age'))
-- output: a table, one row a slice of the newest audits and subgroup ('missing' where the expression is NULL; where any row has that, values are told from it as by value_label), of the slice's confirmation-half rows of its true class (slices of losses have none): rows, patients, errors, error_rate with its 95 % interval; numbers that is_hidden_cell hides, as few patients have them or as what is shown beside the slice's size would tell these, are NULL and suppressed is true
-- units: counts; rates 0 to 1; a patient counts once in patients however many rows there are; the interval is widened where patients repeat
-- source: samples.slice_ids; rate_low and rate_high of patients' errors and rows
-- reads: samples, slices, value_label, is_hidden_cell, rate_low, rate_high, patient_of
-- over: samples
CREATE MACRO slice_by(subgroup) AS TABLE
WITH told AS (
    SELECT
        unnest(samples.slice_ids) AS _slice, samples.label AS _truth, samples.error AS _wrong,
        coalesce('=' || (subgroup)::VARCHAR, '') AS _value, -- '' is NULL's alone
        patient_of(samples.patient_id, samples.sample_id) AS _patient
    FROM main.samples
    WHERE samples.half = 'confirmation' AND samples.error IS NOT NULL
),
people AS (
    SELECT _slice, _value, _patient, count(*) AS own_rows, count(*) FILTER (_wrong) AS own_errors
    FROM told JOIN main.slices AS s ON s.slice_id = _slice AND s.true_class = _truth
    GROUP BY ALL
),
counted AS (
    SELECT
        _slice, _value, sum(own_rows)::BIGINT AS rows, count(*) AS patients,
        sum(own_errors)::BIGINT AS errors, sum(own_errors) / sum(own_rows) AS error_rate,
        rate_low(own_errors, own_rows) AS error_rate_low, rate_high(own_errors, own_rows) AS error_rate_high
    FROM people
    GROUP BY ALL
),
labelled AS (
    SELECT
        *,
        is_hidden_cell(patients, _slice, _value) AS few,
        CASE
            WHEN _value = '' THEN 'missing'
            WHEN bool_or(_value = '') OVER () THEN value_label(_value[2:])
            ELSE _value[2:]
        END AS label
    FROM counted
)
SELECT
    _slice AS slice_id,
    label AS subgroup,
    CASE WHEN NOT few THEN COLUMNS(['rows', 'patients', 'errors', 'error_rate', 'error_rate_low', 'error_rate_high']) END,
    few AS suppressed
FROM labelled
ORDER BY _slice, label;
