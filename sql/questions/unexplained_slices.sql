-- name: unexplained_slices
-- inputs: none
-- output: one row a slice of the newest audits (of errors, not of losses): the metadata subgroup that overlaps it best among those in which errors of its kind gather, the least explained slices first; overlap 0 where no subgroup was found, NULL where few patients are in the slice; it is rounded, as a fraction would tell the rows that both hold
-- units: overlap 0 to 1
-- source: the Jaccard index of the samples of the slice's true class that the slice takes and that have all terms of the subgroup, among all judged ones; the twenty subgroups of the highest scan statistic among the rows that the audit judged; ties by the subgroup's rank
-- reads: latest_audits, slices, memberships, audited, images, metadata, subgroups, is_small_cell, patient_of
WITH found AS (
    SELECT s.audit_id, s.slice_id, s.model, s.target, s.true_class
    FROM slices AS s JOIN latest_audits AS l USING (audit_id, model, target)
    WHERE s.true_class IS NOT NULL
),
searched AS (
    SELECT a.model, a.target, g.error_kind, g.rank, g.terms
    FROM latest_audits AS a, subgroups(a.model, a.target, top := 20, of_audit := a.audit_id) AS g
),
members AS (
    SELECT
        f.slice_id, a.sample_id, patient_of(i.patient_id, a.sample_id) AS patient,
        m.sample_id IS NOT NULL AS inside, f.model, f.target, f.true_class
    FROM found AS f
    JOIN audited AS a
        ON a.audit_id = f.audit_id AND a.model = f.model AND a.target = f.target AND a.label = f.true_class
    LEFT JOIN memberships AS m ON m.slice_id = f.slice_id AND m.sample_id = a.sample_id
    LEFT JOIN images AS i ON i.sample_id = a.sample_id
),
sizes AS (
    SELECT slice_id, is_small_cell(count(DISTINCT patient) FILTER (inside)) AS few
    FROM members
    GROUP BY slice_id
),
has AS (SELECT sample_id, list(term) AS own FROM metadata GROUP BY sample_id),
shared AS (
    SELECT
        m.slice_id, g.rank, g.terms,
        count(*) FILTER (m.inside AND list_has_all(h.own, g.terms))
            / count(*) FILTER (m.inside OR list_has_all(h.own, g.terms)) AS overlap
    FROM members AS m
    JOIN searched AS g
        ON g.model = m.model AND g.target = m.target
        AND g.error_kind = if(m.true_class = 1, 'false negative', 'false positive')
    JOIN has AS h ON h.sample_id = m.sample_id
    GROUP BY ALL
)
SELECT
    f.slice_id, f.model, f.target,
    CASE WHEN NOT coalesce(any_value(z.few), false) THEN round(coalesce(max(o.overlap), 0), 2) END AS overlap,
    arg_max(o.terms, (o.overlap, -o.rank)) AS best_subgroup
FROM found AS f LEFT JOIN shared AS o USING (slice_id) LEFT JOIN sizes AS z USING (slice_id)
GROUP BY ALL
ORDER BY overlap, f.slice_id;
