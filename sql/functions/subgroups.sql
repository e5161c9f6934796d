-- name: subgroups
-- signature: subgroups(model, target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true)
-- inputs: model, target (text); of_class (1, 0, or NULL for both); min_size (fewest rows of the class); most_terms (1 to 3); top (how many); keep (an expression over samples: the rows to search)
-- output: a table, one row a subgroup of metadata in which errors gather, the most telling first: its terms, all of which hold; counts of rows of the true class; error_rate with its 95 % interval, baseline_rate (of the rest of the class), lift and scan_statistic. Only what scores more than every shorter subgroup it contains; only rows that are labelled, predicted and not of split train; never with fewer than smallest_cell() patients inside, or among the rest of the class if there is any, which the total less the subgroup would tell. Found by search: try them on other patients before believing them; they prove no cause
-- units: counts; rates 0 to 1; lift is a ratio; scan_statistic is a log-likelihood ratio
-- source: every conjunction of up to three values of metadata (numbers in quarters, missing values as values of their own) within a true class, by Kulldorff's (1997) Bernoulli scan statistic; ties: fewer terms, then by column and value; intervals as slices.error_rate_low
-- reads: samples, metadata, smallest_cell
-- over: samples
-- needs: subgroups
CREATE MACRO subgroups(
    asked_model, asked_target, of_class := NULL, min_size := 10, most_terms := 3, top := 10, keep := true
) AS TABLE
WITH chosen AS (
    SELECT
        samples.sample_id AS told_id, coalesce(samples.patient_id, samples.sample_id) AS patient,
        samples.label AS truth, samples.error AS wrong
    FROM main.samples
    WHERE samples.model = asked_model AND samples.target = asked_target AND samples.error IS NOT NULL
        AND samples.split IS DISTINCT FROM 'train' AND (keep)
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
            'model': asked_model::VARCHAR, 'target': asked_target::VARCHAR, 'true_class': (of_class)::TINYINT,
            'min_size': (min_size)::BIGINT, 'most_terms': (most_terms)::BIGINT, 'top': (top)::BIGINT,
            'smallest_cell': smallest_cell()::BIGINT
        }
    ) AS answer
)
SELECT unnest(answer, recursive := true) FROM asked;
