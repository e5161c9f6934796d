-- name: subgroups
-- signature: subgroups(model, target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true, of_audit := NULL)
-- inputs: model, target (text); of_class (1, 0, or NULL for both); min_size (fewest rows of the class); most_terms (1 to 3); top (how many); keep (an expression over samples: the rows to search); of_audit (an audit_id: search the rows that the audit judged, by its own labels and errors; NULL: all rows, by those of the view samples)
-- output: a table, one row a subgroup of metadata in which errors gather, the most telling first: its terms, all of which hold; counts of rows of the true class; error_rate with its 95 % interval, baseline_rate (of the rest of the class), lift and scan_statistic. Only what scores more than every shorter subgroup it contains; only rows that are labelled, predicted and, unless of_audit is given, not of split train; never with fewer than smallest_cell() patients inside, or among the rest of the class if there is any, which the total less the subgroup would tell. Found by search among these very rows: rates and lift read too high, and the interval of a rate does not know of the search. Try them on other patients before believing them; they prove no cause
-- units: counts; rates 0 to 1; lift is a ratio; scan_statistic is a log-likelihood ratio
-- source: every conjunction of up to three values of metadata (numbers in quarters, missing values as values of their own) within a true class, by Kulldorff's (1997) Bernoulli scan statistic; ties: fewer terms, then by column and value; intervals as slices.error_rate_low
-- reads: samples, audited, metadata, smallest_cell, is_training
-- over: samples
-- needs: subgroups
CREATE MACRO subgroups(
    asked_model, asked_target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true,
    of_audit := NULL
) AS TABLE
WITH own AS (
    SELECT a.sample_id AS own_id, a.label AS own_label, a.error AS own_error
    FROM main.audited AS a
    WHERE a.audit_id = of_audit::VARCHAR AND a.model = asked_model AND a.target = asked_target
),
chosen AS (
    SELECT
        samples.sample_id AS told_id, coalesce(samples.patient_id, samples.sample_id) AS patient,
        if(of_audit IS NULL, samples.label, own_label) AS truth,
        if(of_audit IS NULL, samples.error, own_error) AS wrong
    FROM main.samples LEFT JOIN own ON own_id = samples.sample_id
    WHERE samples.model = asked_model AND samples.target = asked_target
        AND if(of_audit IS NULL, samples.error, own_error) IS NOT NULL
        AND (of_audit IS NOT NULL OR NOT is_training(samples.split)) AND (keep)
),
listed AS (
    SELECT m.column_name AS told_column, list(m.term ORDER BY c.told_id) AS terms
    FROM chosen AS c JOIN main.metadata AS m ON m.sample_id = c.told_id
    GROUP BY m.column_name
),
asked AS (
    SELECT python_subgroups(
        (SELECT list(terms ORDER BY told_column) FROM listed),
        (SELECT list(wrong ORDER BY told_id) FROM chosen),
        (SELECT list(truth ORDER BY told_id) FROM chosen),
        (SELECT list(patient ORDER BY told_id) FROM chosen),
        {
            'model': asked_model::VARCHAR, 'target': asked_target::VARCHAR, 'true_class': (of_class)::BIGINT,
            'min_size': (min_size)::BIGINT, 'most_terms': (most_terms)::BIGINT, 'top': (top)::BIGINT,
            'smallest_cell': smallest_cell()::BIGINT, 'audit': of_audit::VARCHAR
        }
    ) AS answer
)
SELECT unnest(answer, recursive := true) FROM asked;
