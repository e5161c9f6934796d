-- name: phrases
-- inputs: phrases
-- output: one row a slice and phrase, the most telling first; assertion is present, absent, uncertain or unmentioned, source is report, metadata, term or list; borne_out says whether the confirmation half bears it out (q_value at most 0.05)
-- units: rates 0 to 1 among rows of the slice's class in the confirmation half; lift is a ratio; score is a cosine; z_score in standard errors; p and q values 0 to 1
-- reads: stored_phrases, is_significant
CREATE VIEW phrases AS
SELECT
    audit_id, slice_id, rank, phrase, assertion, source, score, rows_inside, patients_inside, rate_inside,
    rate_inside_low, rate_inside_high, lacking_inside, patients_outside, lacking_outside, rate_outside, lift, lift_low,
    lift_high, z_score, p_value, q_value,
    is_significant(q_value) AS borne_out
FROM stored_phrases;
