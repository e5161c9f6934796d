-- name: nearest_phrase
-- signature: nearest_phrase(slice_id)
-- inputs: slice_id (text)
-- output: the phrase that tells the slice best; NULL for an unknown slice or one without phrases
-- units: text
-- source: phrases of rank 1
-- reads: phrases
CREATE MACRO nearest_phrase(slice) AS (
    SELECT map(list(p.slice_id), list(p.phrase)) FROM main.phrases AS p WHERE p.rank = 1
)[slice::VARCHAR];
