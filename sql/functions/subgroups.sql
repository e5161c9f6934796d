-- name: subgroups
-- signature: subgroups(model, target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true, of_audit := NULL)
-- inputs: model, target (text; NULL for every one of them, asked together); of_class (1, 0, or NULL for both); min_size (fewest rows of the class in the discovery half); most_terms (1 to 3); top (how many of each model and target); keep (an expression over samples: the rows to take); of_audit (an audit_id: take the rows that the audit judged, by its own labels, errors and halves; NULL: all rows, by those of the view samples)
-- output: a table, one row a subgroup of metadata in which errors gather, by model and target, the most telling of each first: its terms, all of which hold. Found in the discovery half of the patients; every number but rank and scan_statistic is of the confirmation half, whose errors the search never saw: counts of rows of the true class, error_rate with its 95 % interval (of confirmed ones wider, as of slices), baseline_rate (of the rest of the class), lift, p_value, q_value (over all that are listed), and confirmed, where that is at most 0.05. Only what scores more than every shorter subgroup it contains; only rows that are labelled, predicted and, unless of_audit is given, not of split train; never with fewer than smallest_cell() patients of either half inside, or among the rest of the class if there is any, which the total less the subgroup would tell, and of two of a model and target that differ in so few, one having all terms of the other, the better alone (what several models or targets list may differ in fewer). Several questions are not corrected for one another, models and targets asked together are; what is confirmed proves no cause
-- units: counts; rates, p_value and q_value 0 to 1; lift is a ratio; scan_statistic is a log-likelihood ratio of the discovery half
-- source: every conjunction of up to three values of metadata (numbers in quarters, missing values as values of their own) within a true class, by Kulldorff's (1997) Bernoulli scan statistic; ties: fewer terms, then by column and value; without of_audit the halves are those of an audit with seed 0; intervals, p_value and q_value as of slices
-- reads: samples, audited, metadata, smallest_cell, is_training, patient_of
-- over: samples
-- needs: subgroups
CREATE MACRO subgroups(
    asked_model, asked_target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true,
    of_audit := NULL
) AS TABLE
WITH _given AS ( -- of no table, so that no name of one below is taken for a caller's
    SELECT
        asked_model::VARCHAR AS _model, asked_target::VARCHAR AS _target, (of_audit)::VARCHAR AS _audit,
        (of_class)::BIGINT AS _class, (min_size)::BIGINT AS _size, (most_terms)::BIGINT AS _terms, (top)::BIGINT AS _top
),
_own AS (
    SELECT
        its_row.sample_id AS _own_id, its_row.model AS _own_model, its_row.target AS _own_target,
        its_row.label AS _own_label, its_row.error AS _own_error, its_row.half AS _half
    FROM _given JOIN main.audited AS its_row
        ON its_row.audit_id = _audit AND its_row.model = coalesce(_model, its_row.model)
            AND its_row.target = coalesce(_target, its_row.target)
),
chosen AS (
    SELECT
        samples.sample_id AS _id, samples.model AS _its_model, samples.target AS _its_target,
        patient_of(samples.patient_id, samples.sample_id) AS _patient, _half,
        if(_audit IS NULL, samples.label, _own_label) AS _truth, if(_audit IS NULL, samples.error, _own_error) AS _wrong
    FROM _given JOIN main.samples
        ON samples.model = coalesce(_model, samples.model) AND samples.target = coalesce(_target, samples.target)
    LEFT JOIN _own ON _own_id = samples.sample_id AND _own_model = samples.model AND _own_target = samples.target
    WHERE if(_audit IS NULL, samples.error, _own_error) IS NOT NULL
        AND (_audit IS NOT NULL OR NOT is_training(samples.split)) AND (keep)
),
people AS (SELECT _id, any_value(_patient) AS _who FROM chosen GROUP BY _id),
listed AS (
    SELECT its_term.column_name AS told_column, list(its_term.term ORDER BY _id) AS terms
    FROM people JOIN main.metadata AS its_term ON its_term.sample_id = _id
    GROUP BY its_term.column_name
),
searched AS (
    SELECT {
        'model': _its_model, 'target': _its_target, 'samples': list(_id ORDER BY _id),
        'errors': list(_wrong ORDER BY _id), 'labels': list(_truth ORDER BY _id), 'halves': list(_half ORDER BY _id)
    } AS pair
    FROM chosen
    GROUP BY _its_model, _its_target
),
asked AS (
    SELECT python_subgroups(
        (SELECT list(terms ORDER BY told_column) FROM listed),
        (SELECT list(_id ORDER BY _id) FROM people),
        (SELECT list(_who ORDER BY _id) FROM people),
        (SELECT list(pair ORDER BY pair.model, pair.target) FROM searched),
        {
            'model': _model, 'target': _target, 'true_class': _class, 'min_size': _size, 'most_terms': _terms,
            'top': _top, 'smallest_cell': smallest_cell()::BIGINT, 'audit': _audit
        }
    ) AS answer
    FROM _given
)
SELECT unnest(answer, recursive := true) FROM asked;
