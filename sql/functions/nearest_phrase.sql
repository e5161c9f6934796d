-- name: nearest_phrase
-- inputs: slice_id (text)
-- output: the phrase that tells the slice best; NULL for an unknown slice or one without phrases
-- units: none
-- source: phrases of rank 1
-- reads: phrases
CREATE MACRO nearest_phrase(slice) AS
    (SELECT map(list(slice_id), list(phrase)) FROM main.phrases WHERE rank = 1)[slice::VARCHAR];
