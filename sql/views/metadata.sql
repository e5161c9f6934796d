-- name: metadata
-- inputs: images
-- output: one row a sample and metadata column (split is one): its value as value_label has it, 'missing' for NULL; a number of more than 8 different values comes as its quarter among all images, such as '45 to 61', in 6 digits, or in 9, 12, 15 or 17 where these tell its edges apart first; term is column and value, such as 'view = AP', 'age 45 to 61', 'sex missing'
-- units: bin is the place of the quarter, 0 the lowest, NULL for everything else; a quarter holds its lower edge and not its upper one
-- source: edges are the quartiles (linear between neighbours); equal edges, and those at the lowest value, are one; where no edge is left, what is above the lowest value is told from it
-- reads: images, value_label
CREATE VIEW metadata AS
WITH described AS (
    SELECT * EXCLUDE (patient_id, study_id, image, width, height, media_type, sha256) FROM main.images
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
        ))) AS edges,
        min(number) AS least
    FROM numbers
    WHERE isfinite(number)
    GROUP BY column_name
    HAVING count(DISTINCT number) > 8
),
written AS (
    SELECT
        column_name, edges, least, format('{:g}', least) AS lowest,
        list_filter(
            list_transform([6, 9, 12, 15, 17], lambda digits: list_transform(edges, lambda edge: format('{:.{}g}', edge, digits))),
            lambda told: len(list_distinct(told)) = len(told)
        )[1] AS told
    FROM quartiles
),
placed AS (
    SELECT
        n.*, q.edges, q.lowest, q.told,
        CASE
            WHEN number IS NULL OR NOT isfinite(number) THEN NULL
            WHEN len(edges) = 0 THEN (number > least)::BIGINT
            ELSE len(list_filter(edges, lambda edge: number >= edge))
        END AS bin
    FROM numbers AS n LEFT JOIN written AS q USING (column_name)
),
named AS (
    SELECT
        sample_id, column_name, bin, value AS own,
        CASE
            WHEN value IS NULL OR NOT isfinite(number) THEN 'missing'
            WHEN bin IS NULL THEN value_label(value)
            WHEN len(edges) = 0 THEN if(bin = 0, lowest || ' or less', 'above ' || lowest)
            WHEN bin = 0 THEN 'below ' || told[1]
            WHEN bin = len(edges) THEN told[-1] || ' or more'
            ELSE told[bin] || ' to ' || told[bin + 1]
        END AS value,
        value IS NOT NULL AND bin IS NULL AND coalesce(isfinite(number), true) AS is_plain
    FROM placed
)
SELECT
    sample_id, column_name, value, bin,
    column_name || if(is_plain, ' = ' || own, ' ' || value) AS term
FROM named;
