-- name: nearest_samples
-- signature: nearest_samples(sample_id, k := 10, vectors := 'image')
-- inputs: sample_id (text); k (how many); vectors ('image' or 'report': the encoder that was embedded last; or an encoder's name)
-- output: a table, the k samples most like this one, itself left out: rank, sample_id, similarity; no rows for a sample without a vector
-- units: similarity -1 to 1
-- source: cosine of the stored vectors, every one compared; ties by sample_id
-- reads: none
-- needs: nearest_samples
CREATE MACRO nearest_samples(sample, k := 10, vectors := 'image') AS TABLE
SELECT unnest(python_nearest_samples(sample::VARCHAR, k::BIGINT, vectors::VARCHAR), recursive := true);
