-- name: specificity
-- signature: specificity(label, predicted)
-- inputs: label, predicted (0 or 1 a row)
-- output: an aggregate: the share of the rows labelled 0 that are predicted 0 (true negative rate); rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: TN / (TN + FP) (Yerushalmy 1947)
-- reads: none
CREATE MACRO specificity(label, predicted) AS
    avg((predicted = 0)::INTEGER) FILTER (label = 0);
