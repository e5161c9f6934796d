-- name: phrases
-- inputs: phrases
-- output: one row a slice and phrase, the most telling first
-- units: rates 0 to 1 among rows of the slice's class; lift is a ratio; z_score in standard errors
-- reads: stored_phrases
CREATE VIEW phrases AS
SELECT
    audit_id, slice_id, rank, phrase, source, rows_inside, rate_inside, rate_outside, lift, z_score
FROM stored_phrases;
