-- name: contrast_words
-- inputs: contrast_words
-- output: one row a slice and word or pair of words that reports of the confirmation half use more inside the slice than outside, in its class; the most telling first
-- units: counts are of patients whose reports use the word; z_score in standard errors; q_value 0 to 1
-- reads: stored_contrast_words
CREATE VIEW contrast_words AS
SELECT
    audit_id, slice_id, rank, word, count_inside, count_outside, z_score, q_value
FROM stored_contrast_words;
