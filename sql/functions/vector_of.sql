-- name: vector_of
-- signature: vector_of(sample_id, vectors)
-- inputs: sample_id (text); vectors ('image' or 'report': the encoder that was embedded last; or an encoder's name)
-- output: the sample's vector as the encoder gave it; NULL for a sample that has none
-- units: list of numbers
-- source: the stored embeddings, which no view shows
-- reads: none
-- needs: vector_of
CREATE MACRO vector_of(sample, vectors) AS python_vector_of(sample::VARCHAR, vectors::VARCHAR);
