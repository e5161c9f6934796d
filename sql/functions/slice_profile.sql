-- name: slice_profile
-- signature: slice_profile(slice_id)
-- inputs: slice_id (text)
-- output: a table, one row a metadata column and value: how common it is among the patients inside the slice and among the others of the slice's true class (for a slice of losses, of all with a loss), on the confirmation half; the most over-represented first. Values of a single patient group (all, or fewer than 11 patients in all) are not tested and not listed; numbers that is_hidden_cell hides, inside or outside, as few patients have or have not the value or as they would tell these of another value of the column, are NULL and suppressed is true; more_common, whether the q-value is at most 0.05, is told of every value. A value that goes with a slice is no proof that it causes the errors
-- units: patients are counts of different patients; shares and q_value 0 to 1; lift is a ratio of shares
-- source: each patient counts once, by one of its rows, drawn by a hash of its id, of those inside if any is (where so more than half of the patients with as many rows would be inside, those with the fewest rows there count outside, until both sides have as many); the exact test of independence, one-sided, among patients of about as many rows (Gart 1970), Fisher's where no patient has two; q_value by Benjamini and Hochberg (1995) over every value tested; ties by column and value
-- reads: slices, audited, images, memberships, metadata, is_few, is_small_cell, is_hidden_cell, is_significant, patient_of
-- needs: more_often
CREATE MACRO slice_profile(slice) AS TABLE
WITH given AS (SELECT slice::VARCHAR AS given_slice), -- of no table, so that no name of one below is taken for a caller's
judged AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY patient) AS own_rows,
        count(*) FILTER (is_inside) OVER (PARTITION BY patient) AS own_inside,
        count(*) FILTER (is_inside) OVER () / count(*) OVER () AS part_inside
    FROM ( -- apart, so that no metadata column called patient is counted by
        SELECT
            its_row.sample_id,
            patient_of(its_image.patient_id, its_row.sample_id) AS patient,
            its_member.sample_id IS NOT NULL AS is_inside
        FROM given JOIN main.slices AS its_slice ON its_slice.slice_id = given_slice
        JOIN main.audited AS its_row
            ON its_row.audit_id = its_slice.audit_id
            AND its_row.model = its_slice.model AND its_row.target = its_slice.target
            AND (its_slice.true_class IS NULL OR its_row.label = its_slice.true_class)
        JOIN main.images AS its_image ON its_image.sample_id = its_row.sample_id
        LEFT JOIN main.memberships AS its_member
            ON its_member.slice_id = its_slice.slice_id AND its_member.sample_id = its_row.sample_id
        WHERE its_row.half = 'confirmation' AND coalesce(its_row.error::DOUBLE, its_row.loss) IS NOT NULL
    )
),
placed AS (
    SELECT
        patient, own_rows, own_inside, part_inside,
        2 * count(*) FILTER (own_inside > 0) OVER (PARTITION BY own_rows) - count(*) OVER (PARTITION BY own_rows) AS surplus,
        row_number() OVER (
            PARTITION BY own_rows, own_inside BETWEEN 1 AND own_rows - 1 ORDER BY own_inside, md5(patient), patient
        ) AS turn
    FROM (SELECT DISTINCT patient, own_rows, own_inside, part_inside FROM judged)
),
sided AS (
    SELECT
        patient,
        own_inside > 0 AND NOT (own_inside < own_rows AND (
            2 * turn <= surplus OR 2 * turn = surplus + 1 AND own_inside < own_rows * part_inside
        )) AS inside
    FROM placed
),
people AS (
    SELECT j.sample_id, s.inside, j.own_rows
    FROM judged AS j JOIN sided AS s ON s.patient = j.patient
    QUALIFY row_number() OVER (
        PARTITION BY j.patient ORDER BY j.is_inside = s.inside DESC, md5(j.sample_id), j.sample_id
    ) = 1
),
held AS (
    SELECT p.inside, p.own_rows, v.column_name, v.value
    FROM people AS p JOIN main.metadata AS v ON v.sample_id = p.sample_id
),
sizes AS (
    SELECT own_rows, count(*) FILTER (inside) AS own_inside, count(*) AS own_total FROM people GROUP BY own_rows
),
counted AS (
    SELECT
        column_name, value, own_rows,
        count(*) FILTER (inside) AS own_a,
        count(*) AS own_with
    FROM held
    GROUP BY ALL
),
listed AS (
    SELECT
        t.column_name, t.value, t.held_in AS a, t.held_out AS b, t.few_in, t.few_out,
        sum(s.own_inside)::BIGINT AS n, sum(s.own_total)::BIGINT AS total,
        list(s.own_rows ORDER BY s.own_rows) AS rows_each,
        list(coalesce(c.own_a, 0) ORDER BY s.own_rows) AS a_each,
        list(s.own_inside ORDER BY s.own_rows) AS n_each,
        list(coalesce(c.own_with, 0) ORDER BY s.own_rows) AS with_each,
        list(s.own_total ORDER BY s.own_rows) AS total_each
    FROM (
        SELECT
            column_name, value, sum(own_a)::BIGINT AS held_in, sum(own_with - own_a)::BIGINT AS held_out,
            is_hidden_cell(held_in, column_name, value) AS few_in, is_hidden_cell(held_out, column_name, value) AS few_out
        FROM counted GROUP BY column_name, value QUALIFY NOT is_few(held_in + held_out)
    ) AS t
    CROSS JOIN sizes AS s
    LEFT JOIN counted AS c
        ON c.column_name = t.column_name AND c.value = t.value AND c.own_rows = s.own_rows
    GROUP BY ALL
),
tested AS (
    SELECT
        column_name, value, a, b, n, total, few_in, few_out,
        python_more_often(rows_each, a_each, n_each, with_each, total_each) AS p
    FROM listed
    WHERE a + b < total AND n > 0
),
ranked AS (
    SELECT *, count(*) OVER () AS tests, count(*) OVER (ORDER BY p) AS place
    FROM tested
),
adjusted AS (
    SELECT
        *,
        least(1.0, min(p * tests / place) OVER (ORDER BY place DESC)) AS q,
        few_in OR few_out OR is_small_cell(n) OR is_small_cell(total - n) AS few
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
    is_significant(q) AS more_common,
    few AS suppressed
FROM adjusted
ORDER BY suppressed, p, column_name, value;
