-- name: subgroups
-- signature: subgroups(model, target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true, of_audit := NULL)
-- inputs: model, target (text); of_class (1, 0, or NULL for both); min_size (fewest rows of the class in the discovery half); most_terms (1 to 3); top (how many); keep (an expression over samples: the rows to take); of_audit (an audit_id: take the rows that the audit judged, by its own labels, errors and halves; NULL: all rows, by those of the view samples)
-- output: a table, one row a subgroup of metadata in which errors gather, the most telling first: its terms, all of which hold. Found in the discovery half of the patients; every number but rank and scan_statistic is of the confirmation half, whose errors the search never saw: counts of rows of the true class, error_rate with its 95 % interval, by itself, baseline_rate (of the rest of the class), lift, p_value, q_value (over all that are listed), and confirmed, where that is at most 0.05. Only what scores more than every shorter subgroup it contains; only rows that are labelled, predicted and, unless of_audit is given, not of split train; never with fewer than smallest_cell() patients of either half inside, or among the rest of the class if there is any, which the total less the subgroup would tell, and of two that differ in so few, one having all terms of the other, the better alone. Several questions (other models, targets, options) are not corrected for one another; what is confirmed proves no cause
-- units: counts; rates, p_value and q_value 0 to 1; lift is a ratio; scan_statistic is a log-likelihood ratio of the discovery half
-- source: every conjunction of up to three values of metadata (numbers in quarters, missing values as values of their own) within a true class, by Kulldorff's (1997) Bernoulli scan statistic; ties: fewer terms, then by column and value; without of_audit the halves are those of an audit with seed 0; intervals, p_value and q_value as of slices
-- reads: samples, audited, metadata, smallest_cell, is_training, patient_of
-- over: samples
-- needs: subgroups
CREATE MACRO subgroups(
    asked_model, asked_target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true,
    of_audit := NULL
) AS TABLE
WITH given AS ( -- of no table, so that no name of one below is taken for a caller's
    SELECT
        asked_model::VARCHAR AS given_model, asked_target::VARCHAR AS given_target, (of_audit)::VARCHAR AS given_audit,
        (of_class)::BIGINT AS given_class, (min_size)::BIGINT AS given_size, (most_terms)::BIGINT AS given_terms,
        (top)::BIGINT AS given_top
),
own AS (
    SELECT its_row.sample_id AS own_id, its_row.label AS own_label, its_row.error AS own_error, its_row.half AS own_half
    FROM given JOIN main.audited AS its_row
        ON its_row.audit_id = given_audit AND its_row.model = given_model AND its_row.target = given_target
),
chosen AS (
    SELECT
        samples.sample_id AS told_id,
        patient_of(samples.patient_id, samples.sample_id) AS patient, own_half AS half,
        if(given_audit IS NULL, samples.label, own_label) AS truth,
        if(given_audit IS NULL, samples.error, own_error) AS wrong
    FROM given JOIN main.samples ON samples.model = given_model AND samples.target = given_target
    LEFT JOIN own ON own_id = samples.sample_id
    WHERE if(given_audit IS NULL, samples.error, own_error) IS NOT NULL
        AND (given_audit IS NOT NULL OR NOT is_training(samples.split)) AND (keep)
),
listed AS (
    SELECT its_term.column_name AS told_column, list(its_term.term ORDER BY its_sample.told_id) AS terms
    FROM chosen AS its_sample JOIN main.metadata AS its_term ON its_term.sample_id = its_sample.told_id
    GROUP BY its_term.column_name
),
asked AS (
    SELECT python_subgroups(
        (SELECT list(terms ORDER BY told_column) FROM listed),
        (SELECT list(wrong ORDER BY told_id) FROM chosen),
        (SELECT list(truth ORDER BY told_id) FROM chosen),
        (SELECT list(patient ORDER BY told_id) FROM chosen),
        (SELECT list(half ORDER BY told_id) FROM chosen),
        {
            'model': given_model, 'target': given_target, 'true_class': given_class, 'min_size': given_size,
            'most_terms': given_terms, 'top': given_top, 'smallest_cell': smallest_cell()::BIGINT, 'audit': given_audit
        }
    ) AS answer
    FROM given
)
SELECT unnest(answer, recursive := true) FROM asked;
