-- name: nearest_phrase
-- signature: nearest_phrase(slice_id); nearest_phrase(vector)
-- inputs: slice_id (text), or vector (list of as many numbers as one of the store's encoders gives)
-- output: the phrase that tells the slice best on the discovery half, of those that the confirmation half bears out if there are any (borne_out in phrases); or, of the report phrases that tell any slice, the one whose samples lie most in the vector's direction; NULL for an unknown slice, one without phrases, or a store without report phrases
-- units: text
-- source: phrases by borne_out and rank; or the highest cosine between the vector and a phrase's mean vector (of the samples whose report has it), both from the mean of all and of length-one vectors; ties by alphabet; of two encoders of one length the one embedded last
-- reads: phrases
-- needs: nearest_phrase
CREATE MACRO nearest_phrase(slice) AS CASE
    WHEN typeof(slice) = 'VARCHAR' OR typeof(slice) NOT LIKE '%]' THEN (
        SELECT map(list(told.slice_id), list(told.phrase)) FROM (
            SELECT p.slice_id, arg_min(p.phrase, (NOT p.borne_out, p.rank)) AS phrase
            FROM main.phrases AS p GROUP BY p.slice_id
        ) AS told
    )[slice::VARCHAR]
    ELSE python_nearest_phrase(TRY_CAST(slice AS FLOAT[]))
END;
