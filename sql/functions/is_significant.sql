-- name: is_significant
-- signature: is_significant(q_value)
-- inputs: q_value (0 to 1)
-- output: whether it is at most 0.05, the level at which slices are confirmed and phrases borne out; false for NULL
-- units: true or false
-- source: the level of every test of an audit
-- reads: none
CREATE MACRO is_significant(q_value) AS coalesce(q_value <= getvariable('significance'), false);
