-- name: reports
-- inputs: reports
-- output: one row a report, keyed by sample_id or by study_id; the other is NULL. indication to impression: its sections, NULL where it has no such heading
-- units: none
-- reads: stored_reports
CREATE VIEW reports AS
SELECT sample_id, study_id, report, indication, technique, comparison, findings, impression
FROM stored_reports;
