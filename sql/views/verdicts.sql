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
    SELECT p.slice_id, p.earlier, m.sample_id, true AS now, false AS before
    FROM pairs AS p
    JOIN main.memberships AS m ON m.slice_id = p.slice_id
    JOIN main.audited AS j
        ON j.audit_id = p.earlier_audit AND j.model = p.model AND j.target = p.target AND j.sample_id = m.sample_id
    UNION ALL
    SELECT p.slice_id, p.earlier, m.sample_id, false AS now, true AS before
    FROM pairs AS p
    JOIN main.memberships AS m ON m.slice_id = p.earlier
    JOIN main.audited AS j
        ON j.audit_id = p.audit_id AND j.model = p.model AND j.target = p.target AND j.sample_id = m.sample_id
),
together AS (
    SELECT slice_id, earlier, sample_id, bool_or(now) AND bool_or(before) AS shared
    FROM members GROUP BY slice_id, earlier, sample_id
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
