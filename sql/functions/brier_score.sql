-- name: brier_score
-- signature: brier_score(label, score)
-- inputs: label (0 or 1), score (0 to 1) a row
-- output: an aggregate: the mean squared difference of score and label; 0 is perfect; rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: mean of (score - label) ^ 2 (Brier 1950)
-- reads: none
CREATE MACRO brier_score(label, score) AS
    avg((score::DOUBLE - label) ^ 2);
