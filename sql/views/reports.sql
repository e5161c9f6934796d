-- name: reports
-- inputs: reports
-- output: one row a report, keyed by sample_id or by study_id; the other is NULL
-- units: none
-- reads: stored_reports
CREATE VIEW reports AS
SELECT sample_id, study_id, report
FROM stored_reports;
