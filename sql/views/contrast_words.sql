-- name: contrast_words
-- inputs: contrast_words
-- output: one row a slice and word or pair of words that reports of the discovery half use more inside the slice than outside, in its class, the most telling first; all numbers are of the confirmation half, which may say otherwise
-- units: counts are of patients, each by one of its reports; z_score in standard errors, below 0 where the word is used less inside; q_value 0 to 1
-- reads: stored_contrast_words
CREATE VIEW contrast_words AS
SELECT
    audit_id, slice_id, rank, word, count_inside, count_outside, z_score, q_value
FROM stored_contrast_words;
