-- name: phrases_shown
-- signature: phrases_shown()
-- inputs: none
-- output: a table, one row a slice and phrase: what the view phrases says of it, as commands and reports show it: all numbers but score are NULL for a slice that slices_shown suppresses, and where few patients (is_small_cell) inside it have the phrase or lack it; numbers of outside and tests, which would tell them, also where few outside do; suppressed says so. Patients that nobody counted may be few
-- units: as phrases
-- source: the view phrases
-- reads: phrases, slices_shown, is_small_cell
CREATE MACRO phrases_shown() AS TABLE
SELECT
    audit_id, slice_id, rank, phrase, assertion, source, score, borne_out,
    CASE WHEN NOT few_inside THEN COLUMNS([
        'rows_inside', 'patients_inside', 'lacking_inside', 'rate_inside', 'rate_inside_low', 'rate_inside_high'
    ]) END,
    CASE WHEN NOT suppressed THEN COLUMNS([
        'patients_outside', 'lacking_outside', 'rate_outside', 'lift', 'lift_low', 'lift_high', 'z_score', 'p_value',
        'q_value'
    ]) END,
    suppressed
FROM (
    SELECT
        p.*,
        (p.rate_inside IS NOT NULL)::INTEGER AS uncounted, -- phrases that images lie near have no patients to count
        coalesce(s.suppressed, false) OR is_small_cell(coalesce(p.patients_inside, uncounted))
            OR is_small_cell(coalesce(p.lacking_inside, uncounted)) AS few_inside,
        few_inside OR is_small_cell(coalesce(p.patients_outside, uncounted))
            OR is_small_cell(coalesce(p.lacking_outside, uncounted)) AS suppressed
    FROM main.phrases AS p LEFT JOIN slices_shown() AS s USING (slice_id)
);
