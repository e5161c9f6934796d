-- name: expected_calibration_error
-- signature: expected_calibration_error(label, score)
-- inputs: label (0 or 1), score (0 to 1) a row
-- output: an aggregate: how far the share of label 1 lies from the mean score, on average over ten bins of score weighted by their rows; rows where either is NULL do not count; NULL without such rows
-- units: 0 to 1
-- source: sum over bins of (rows in bin / rows) * |mean score - mean label| (Naeini, Cooper and Hauskrecht 2015); bins [0, 0.1), ... [0.9, 1]
-- reads: none
CREATE MACRO expected_calibration_error(label, score) AS
    (
          coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 0)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 1)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 2)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 3)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 4)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 5)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 6)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 7)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 8)), 0)
        + coalesce(abs(sum(score::DOUBLE - label) FILTER (least(floor(score * 10), 9) = 9)), 0)
    ) / nullif(count(score + label), 0);
