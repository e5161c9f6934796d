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
        its_row.sample_id,
        coalesce(its_image.patient_id, its_row.sample_id) AS patient,
        its_member.sample_id IS NOT NULL AS is_inside
    FROM main.slices AS its_slice
    JOIN main.audited AS its_row
        ON its_row.audit_id = its_slice.audit_id
        AND its_row.model = its_slice.model AND its_row.target = its_slice.target
        AND (its_slice.true_class IS NULL OR its_row.label = its_slice.true_class)
    JOIN main.images AS its_image ON its_image.sample_id = its_row.sample_id
    LEFT JOIN main.memberships AS its_member
        ON its_member.slice_id = its_slice.slice_id AND its_member.sample_id = its_row.sample_id
    WHERE its_slice.slice_id = slice::VARCHAR AND its_row.half = 'confirmation'
        AND coalesce(its_row.error::DOUBLE, its_row.loss) IS NOT NULL
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
