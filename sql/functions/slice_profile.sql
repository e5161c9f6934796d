-- name: slice_profile
-- signature: slice_profile(slice_id)
-- inputs: slice_id (text)
-- output: a table, one row a metadata column and value: how common it is among the patients inside the slice and among the others of the slice's true class (for a slice of losses, of all with a loss), on the confirmation half; the most over-represented first. Values of a single patient group (all, or fewer than 11 patients in all) are not tested and not listed; numbers from fewer than smallest_cell() patients inside or outside are NULL and suppressed is true. A value that goes with a slice is no proof that it causes the errors
-- units: patients are counts of different patients; shares and q_value 0 to 1; lift is a ratio of shares
-- source: each patient counts once: inside where any of its rows is, with the values of those rows; Fisher's exact test, one-sided; q_value by Benjamini and Hochberg (1995) over every value tested; ties by column and value
-- reads: slices, audited, images, memberships, metadata, is_small_cell, fisher_p_value
CREATE MACRO slice_profile(slice) AS TABLE
WITH judged AS (
    SELECT
        a.sample_id, coalesce(i.patient_id, a.sample_id) AS patient, m.sample_id IS NOT NULL AS is_inside
    FROM main.slices AS s
    JOIN main.audited AS a
        ON a.audit_id = s.audit_id AND a.model = s.model AND a.target = s.target
        AND (s.true_class IS NULL OR a.label = s.true_class)
    JOIN main.images AS i ON i.sample_id = a.sample_id
    LEFT JOIN main.memberships AS m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
    WHERE s.slice_id = slice::VARCHAR AND a.half = 'confirmation' AND coalesce(a.error::DOUBLE, a.loss) IS NOT NULL
),
people AS (SELECT patient, bool_or(is_inside) AS inside FROM judged GROUP BY patient),
held AS (
    SELECT DISTINCT p.patient, p.inside, v.column_name, v.value
    FROM judged AS j
    JOIN people AS p ON p.patient = j.patient AND p.inside = j.is_inside
    JOIN main.metadata AS v ON v.sample_id = j.sample_id
),
sizes AS (SELECT count(*) FILTER (inside) AS n, count(*) AS total FROM people),
counted AS (
    SELECT
        column_name, value,
        count(*) FILTER (inside) AS a,
        count(*) FILTER (NOT inside) AS b,
        n, total
    FROM held CROSS JOIN sizes
    GROUP BY column_name, value, n, total
),
tested AS (
    SELECT *, fisher_p_value(a, n, a + b, total) AS p
    FROM counted
    WHERE a + b >= 11 AND a + b < total AND n > 0
),
ranked AS (
    SELECT *, count(*) OVER () AS tests, count(*) OVER (ORDER BY p) AS place
    FROM tested
),
adjusted AS (
    SELECT
        *,
        least(1.0, min(p * tests / place) OVER (ORDER BY place DESC)) AS q,
        is_small_cell(a) OR is_small_cell(b) OR is_small_cell(n) OR is_small_cell(total - n) AS few
    FROM ranked
)
SELECT
    column_name,
    value,
    CASE WHEN NOT few THEN a END AS patients_inside,
    CASE WHEN NOT few THEN b END AS patients_outside,
    CASE WHEN NOT few THEN a / n END AS share_inside,
    CASE WHEN NOT few THEN b / (total - n) END AS share_outside,
    CASE WHEN NOT few AND b > 0 THEN (a / n) / (b / (total - n)) END AS lift,
    CASE WHEN NOT few THEN q END AS q_value,
    few AS suppressed
FROM adjusted
ORDER BY suppressed, p, column_name, value;
