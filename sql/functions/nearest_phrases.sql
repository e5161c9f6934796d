-- name: nearest_phrases
-- signature: nearest_phrases(slice_id, k)
-- inputs: slice_id (text), k (how many)
-- output: at most k phrases that tell the slice best, those that the confirmation half bears out before others, the most telling first; NULL for an unknown slice or one without phrases
-- units: list of text
-- source: phrases by borne_out and rank
-- reads: phrases
CREATE MACRO nearest_phrases(slice, k) AS (
    SELECT map(list(listed.slice_id), list(listed.phrases)) FROM (
        SELECT p.slice_id, list(p.phrase ORDER BY p.borne_out DESC, p.rank) AS phrases FROM main.phrases AS p GROUP BY p.slice_id
    ) AS listed
)[slice::VARCHAR][:k];
