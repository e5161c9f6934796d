-- name: smallest_cell
-- signature: smallest_cell()
-- inputs: none
-- output: the fewest patients whose number the functions show: 11, or 0 with --allow-small-cells
-- units: patients
-- source: cells of 1 to 10 are suppressed by the US Centers for Medicare and Medicaid Services (cell size suppression policy)
-- reads: none
CREATE MACRO smallest_cell() AS getvariable('smallest_cell');
