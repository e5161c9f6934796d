-- name: audits
-- inputs: audits, phrases
-- output: one row an audit, by its id and the name it may have: what was asked of which models and targets, and how many slices it found; notes also tell where phrases_shown leaves numbers out as the audit was made before their patients were counted
-- units: created_at in UTC; samples and slices are counts; parameters and tables are JSON
-- reads: stored_audits, stored_phrases, is_small_cell
CREATE VIEW audits AS
SELECT
    audit_id, name, created_at, package_version, state, seed, models, targets, "where", modalities, samples,
    slices, confirmed_slices,
    CASE WHEN audit_id IN (
        SELECT audit_id FROM stored_phrases
        WHERE rate_inside IS NOT NULL AND is_small_cell(1)
            AND patients_inside + lacking_inside + patients_outside + lacking_outside IS NULL
    ) THEN list_append(
        notes,
        'shares and q-values of its phrases are left out, as it was made before misread counted the patients of each: audit anew to see them'
    ) ELSE notes END AS notes,
    parameters, tables, fusion
FROM stored_audits;
