-- name: audits
-- inputs: audits, phrases, slices
-- output: one row an audit, by its id and the name it may have: what was asked of which models and targets, and how many slices it found; notes also tell where phrases_shown and slices_shown leave numbers out as the audit was made before their patients were counted
-- units: created_at in UTC; samples and slices are counts; parameters and tables are JSON
-- reads: stored_audits, stored_phrases, stored_slices, is_small_cell
CREATE VIEW audits AS
SELECT
    audit_id, name, created_at, package_version, state, seed, models, targets, "where", modalities, samples,
    slices, confirmed_slices,
    CASE WHEN what IS NOT NULL AND is_small_cell(1) THEN list_append(
        notes,
        what || ' are left out, as it was made before misread counted the patients of each: audit anew to see them'
    ) ELSE notes END AS notes,
    parameters, tables, fusion
FROM stored_audits LEFT JOIN (
    SELECT audit_id, string_agg(uncounted, ', and ' ORDER BY uncounted DESC) AS what
    FROM (
        SELECT audit_id, 'shares and q-values of its phrases' AS uncounted
        FROM stored_phrases
        WHERE rate_inside IS NOT NULL
            AND patients_inside + lacking_inside + patients_outside + lacking_outside IS NULL
        UNION
        SELECT audit_id, 'precision and recall of its rules'
        FROM stored_slices
        WHERE rule_precision IS NOT NULL AND rule_fewest_patients IS NULL
    )
    GROUP BY audit_id
) USING (audit_id);
