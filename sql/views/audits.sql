-- name: audits
-- inputs: audits
-- output: one row an audit, by its id and the name it may have: what was asked of which models and targets, and how many slices it found
-- units: created_at in UTC; samples and slices are counts; parameters and tables are JSON
-- reads: stored_audits
CREATE VIEW audits AS
SELECT
    audit_id, name, created_at, package_version, state, seed, models, targets, "where", modalities, samples,
    slices, confirmed_slices, notes, parameters, tables, fusion
FROM stored_audits;
