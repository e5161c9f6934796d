-- name: copies
-- inputs: images
-- output: one row a sample whose image file is, byte for byte, that of another sample: file numbers the different files, by the first sample of each; join audited for the halves of an audit that they lie in
-- units: file counts from 1
-- reads: stored_images
CREATE VIEW copies AS
SELECT dense_rank() OVER (ORDER BY first_sample) AS file, sample_id, patient_id
FROM (
    SELECT sample_id, patient_id, min(sample_id) OVER (PARTITION BY sha256) AS first_sample
    FROM stored_images
    WHERE sha256 IS NOT NULL
    QUALIFY count(*) OVER (PARTITION BY sha256) > 1
);
