-- name: patient_of
-- signature: patient_of(patient_id, sample_id)
-- inputs: patient_id, sample_id (text)
-- output: the patient that a sample counts for; a sample without patient_id stands alone, also where another's patient_id is the same as its sample_id
-- units: text, to be counted and compared
-- source: as audits have it
-- reads: none
CREATE MACRO patient_of(patient_id, sample_id) AS coalesce(patient_id, 'sample' || chr(31) || sample_id);
