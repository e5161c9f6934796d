-- name: false_negative_rate
-- signature: false_negative_rate(label, predicted)
-- inputs: label, predicted (0 or 1 a row)
-- output: an aggregate: the share of the rows labelled 1 that are predicted 0 (missed); rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: FN / (TP + FN) = 1 - sensitivity
-- reads: none
CREATE MACRO false_negative_rate(label, predicted) AS
    avg((predicted = 0)::INTEGER) FILTER (label = 1);
