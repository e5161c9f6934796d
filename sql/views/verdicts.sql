-- name: verdicts
-- inputs: verdicts, slices, audits, memberships, audited
-- output: one row a slice that a person has judged: its newest verdict, or, where it has none, that of the slice of an earlier audit it agrees with best (carried_from), if they share at least half of their members
-- units: verdict 'confirmed', 'artefact', 'label error' or 'unclear'; judged_at in UTC; overlap 0 to 1, NULL for a verdict of the slice's own
-- source: the Jaccard index of the members of both slices (of one model, target and kind of error) among the samples that both audits judged; ties by the newer audit, then by slice_id
-- reads: stored_verdicts, slices, audits, memberships, audited
CREATE VIEW verdicts AS
WITH own AS (
    FROM stored_verdicts
    QUALIFY row_number() OVER (PARTITION BY slice_id ORDER BY judged_at DESC, judged_by) = 1
),
pairs AS (
    SELECT
        s.slice_id, s.audit_id, s.model, s.target, e.slice_id AS earlier, e.audit_id AS earlier_audit, b.created_at
    FROM main.slices AS s
    JOIN main.audits AS a ON a.audit_id = s.audit_id
    JOIN main.slices AS e ON e.model = s.model AND e.target = s.target AND e.error_kind = s.error_kind
    JOIN main.audits AS b ON b.audit_id = e.audit_id AND b.created_at < a.created_at
    JOIN own AS o ON o.slice_id = e.slice_id
    WHERE s.slice_id NOT IN (SELECT slice_id FROM own)
),
members AS (
    SELECT p.*, m.sample_id FROM pairs AS p JOIN main.memberships AS m ON m.slice_id = p.slice_id
    UNION ALL
    SELECT p.*, m.sample_id FROM pairs AS p JOIN main.memberships AS m ON m.slice_id = p.earlier
),
together AS (
    SELECT m.slice_id, m.earlier, m.sample_id, count(*) = 2 AS shared
    FROM members AS m
    JOIN main.audited AS n
        ON n.audit_id = m.audit_id AND n.model = m.model AND n.target = m.target AND n.sample_id = m.sample_id
    JOIN main.audited AS b
        ON b.audit_id = m.earlier_audit AND b.model = m.model AND b.target = m.target AND b.sample_id = m.sample_id
    GROUP BY m.slice_id, m.earlier, m.sample_id
),
agreements AS (
    SELECT slice_id, earlier, avg(shared::INTEGER) AS overlap
    FROM together GROUP BY slice_id, earlier
),
carried AS (
    SELECT p.slice_id, p.audit_id, p.earlier, v.overlap
    FROM agreements AS v JOIN pairs AS p USING (slice_id, earlier)
    WHERE v.overlap >= 0.5
    QUALIFY row_number() OVER (
        PARTITION BY p.slice_id ORDER BY v.overlap DESC, p.created_at DESC, p.earlier
    ) = 1
)
SELECT
    audit_id, slice_id, verdict, judged_by, judged_at, note,
    NULL::VARCHAR AS carried_from, NULL::DOUBLE AS overlap
FROM own
UNION ALL
SELECT
    c.audit_id, c.slice_id, o.verdict, o.judged_by, o.judged_at, o.note, c.earlier, c.overlap
FROM carried AS c JOIN own AS o ON o.slice_id = c.earlier;
