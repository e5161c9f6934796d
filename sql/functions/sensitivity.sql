-- name: sensitivity
-- signature: sensitivity(label, predicted)
-- inputs: label, predicted (0 or 1 a row)
-- output: an aggregate: the share of the rows labelled 1 that are predicted 1 (recall, true positive rate); rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: TP / (TP + FN) (Yerushalmy 1947)
-- reads: none
CREATE MACRO sensitivity(label, predicted) AS
    avg((predicted = 1)::INTEGER) FILTER (label = 1);
