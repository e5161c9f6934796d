-- name: is_few
-- signature: is_few(patients)
-- inputs: patients (number of patients)
-- output: whether so few patients make a small cell, be it shown or not: 1 to 10; false for 0 and NULL
-- units: true or false
-- source: as smallest_cell
-- reads: none
CREATE MACRO is_few(patients) AS coalesce(patients > 0 AND patients < getvariable('few_patients'), false);
