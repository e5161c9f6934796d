-- name: is_small_cell
-- signature: is_small_cell(patients)
-- inputs: patients (number of patients)
-- output: whether numbers of so few patients are suppressed: 1 or more, but fewer than smallest_cell(); false for 0 and NULL
-- units: true or false
-- source: as smallest_cell
-- reads: smallest_cell
CREATE MACRO is_small_cell(patients) AS coalesce(patients > 0 AND patients < smallest_cell(), false);
