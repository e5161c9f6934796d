-- name: intersectional_table
-- inputs: model, target, first_column, second_column (text): metadata columns, numbers in quarters
-- output: one row a combination of their values: sensitivity and specificity with intervals; suppressed where they rest on few patients
-- units: rates 0 to 1; rows and patients are counts
-- source: rates_by
-- reads: rates_by, metadata_value
SELECT * EXCLUDE (model, target)
FROM rates_by(metadata_value(sample_id, $first_column) || ', ' || metadata_value(sample_id, $second_column))
WHERE model = $model AND target = $target
ORDER BY subgroup;
