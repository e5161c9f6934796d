-- name: is_small_cell
-- signature: is_small_cell(patients)
-- inputs: patients (number of patients)
-- output: whether numbers of so few patients are suppressed: they are few, and may not be shown; false for 0 and NULL
-- units: true or false
-- source: as smallest_cell
-- reads: is_few, smallest_cell
CREATE MACRO is_small_cell(patients) AS is_few(patients) AND smallest_cell() > 0;
