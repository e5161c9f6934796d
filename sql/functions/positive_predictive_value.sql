-- name: positive_predictive_value
-- signature: positive_predictive_value(label, predicted)
-- inputs: label, predicted (0 or 1 a row)
-- output: an aggregate: the share of the rows predicted 1 that are labelled 1 (precision); rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: TP / (TP + FP); depends on how common label 1 is in the rows
-- reads: none
CREATE MACRO positive_predictive_value(label, predicted) AS
    avg((label = 1)::INTEGER) FILTER (predicted = 1);
