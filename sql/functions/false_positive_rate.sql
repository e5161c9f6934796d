-- name: false_positive_rate
-- signature: false_positive_rate(label, predicted)
-- inputs: label, predicted (0 or 1 a row)
-- output: an aggregate: the share of the rows labelled 0 that are predicted 1 (false alarms); rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: FP / (TN + FP) = 1 - specificity
-- reads: none
CREATE MACRO false_positive_rate(label, predicted) AS
    avg((predicted = 1)::INTEGER) FILTER (label = 0);
