-- name: metadata
-- inputs: images
-- output: one row a sample and metadata column (split is one): its value as text, 'missing' for NULL; a number of more than 8 different values comes as its quarter among all images, such as '45 to 61'; term is column and value, such as 'view = AP', 'age 45 to 61', 'sex missing'
-- units: bin is the place of the quarter, 0 the lowest, NULL for everything else; a quarter holds its lower edge and not its upper one
-- source: edges are the quartiles (linear between neighbours); equal edges, and those at the lowest value, are one
-- reads: images
CREATE VIEW metadata AS
WITH described AS (
    SELECT sample_id, COLUMNS(lambda name: name NOT IN (
        'sample_id', 'patient_id', 'study_id', 'image', 'width', 'height', 'media_type', 'sha256'
    ))
    FROM main.images
),
listed AS (
    UNPIVOT (
        SELECT
            sample_id,
            {
                'value': COLUMNS(* EXCLUDE (sample_id))::VARCHAR,
                'number': CASE
                    WHEN regexp_matches(typeof(COLUMNS(* EXCLUDE (sample_id))), '^U?(TINY|SMALL|BIG|HUGE)?INT|^(FLOAT|DOUBLE|DECIMAL)')
                    THEN TRY_CAST(COLUMNS(* EXCLUDE (sample_id))::VARCHAR AS DOUBLE)
                END
            }
        FROM described
    )
    ON COLUMNS(* EXCLUDE (sample_id)) INTO NAME column_name VALUE cell
),
numbers AS (
    SELECT sample_id, column_name, cell.value AS value, cell.number AS number FROM listed
),
quartiles AS (
    SELECT
        column_name,
        list_sort(list_distinct(list_filter(
            quantile_cont(number, [0.25, 0.5, 0.75]), lambda edge: edge > min(number)
        ))) AS edges
    FROM numbers
    WHERE isfinite(number)
    GROUP BY column_name
    HAVING count(DISTINCT number) > 8
),
placed AS (
    SELECT
        n.*, q.edges,
        CASE WHEN isfinite(number) THEN len(list_filter(edges, lambda edge: number >= edge)) END AS bin
    FROM numbers AS n LEFT JOIN quartiles AS q USING (column_name)
),
named AS (
    SELECT
        sample_id, column_name, bin,
        CASE
            WHEN value IS NULL OR NOT isfinite(number) THEN 'missing'
            WHEN bin IS NULL THEN value
            WHEN bin = 0 THEN 'below ' || format('{:g}', edges[1])
            WHEN bin = len(edges) THEN format('{:g}', edges[-1]) || ' or more'
            ELSE format('{:g}', edges[bin]) || ' to ' || format('{:g}', edges[bin + 1])
        END AS value,
        value IS NOT NULL AND bin IS NULL AND coalesce(isfinite(number), true) AS is_plain
    FROM placed
)
SELECT
    sample_id, column_name, value, bin,
    column_name || if(is_plain, ' = ', ' ') || value AS term
FROM named;
