-- name: negative_predictive_value
-- signature: negative_predictive_value(label, predicted)
-- inputs: label, predicted (0 or 1 a row)
-- output: an aggregate: the share of the rows predicted 0 that are labelled 0; rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: TN / (TN + FN); depends on how common label 1 is in the rows
-- reads: none
CREATE MACRO negative_predictive_value(label, predicted) AS
    avg((label = 0)::INTEGER) FILTER (predicted = 0);
