-- name: likely_copies
-- signature: likely_copies(vectors := 'image', at_most := 0.5)
-- inputs: vectors ('image' or 'report': the encoder that was embedded last; or an encoder's name); at_most (of the usual distance)
-- output: a table, the samples whose nearest sample of another patient is far nearer than is usual, the nearest first: sample_id, other_sample_id, similarity, distance_ratio; look at them, as one image may have been taken in under two patients, and then the halves of an audit are not held apart
-- units: similarity -1 to 1; distance_ratio is the distance to the other sample over the median of such distances, 1 for what is usual, 0 for vectors that are equal; of more than 1,024 samples the median is that of 1,024, which a hash of sample_id chooses (seldom 1 % off)
-- source: cosine s of the stored vectors, and the distance sqrt(2 - 2 s) of vectors of length 1; below at_most 0.8 only those are compared in full that a bound along leading directions (Cauchy-Schwarz) does not rule out, from there on every two, which gives the same and takes far longer; ties by distance_ratio and sample_id, between others by patient and sample_id. In two collections of chest films copies that had been saved anew lay below 0.31, and no other pair below 0.69
-- reads: none
-- needs: likely_copies
CREATE MACRO likely_copies(vectors := 'image', at_most := 0.5) AS TABLE
SELECT unnest(python_likely_copies((vectors)::VARCHAR, (at_most)::DOUBLE), recursive := true);
