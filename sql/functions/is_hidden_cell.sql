-- name: is_hidden_cell
-- signature: is_hidden_cell(patients, whole, name)
-- inputs: patients (number of patients of a group), whole (what the group is a part of, any value), name (of the group, for ties)
-- output: a window: whether numbers of a group are suppressed, so that a total less what is shown of its parts is of smallest_cell() patients or more: of those with is_small_cell, and where all of these of a whole have fewer patients together, of the next smallest groups until they have not
-- units: true or false; a patient of several groups counts in each
-- source: complementary (secondary) suppression (Cox 1980; Hundepool et al. 2012, Statistical Disclosure Control), the smallest groups first
-- reads: is_small_cell
CREATE MACRO is_hidden_cell(patients, whole, name) AS
    is_small_cell(patients) OR is_small_cell(sum(patients) OVER (
        PARTITION BY whole ORDER BY patients, name ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ));
