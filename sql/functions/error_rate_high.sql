-- name: error_rate_high
-- signature: error_rate_high(slice_id); error_rate_high(label, predicted)
-- inputs: slice_id (text), or label, predicted (0 or 1 a row)
-- output: the upper end of the interval of error_rate, with the same NULLs: 95 %, of a confirmed slice wider, so that averaged over audits at most 5 % of an audit's confirmed ones are expected to miss, an audit without any counting as 0; as an aggregate every row counts as independent, however often a patient repeats
-- units: 0 to 1
-- source: slices.error_rate_high: rate_high over the slice's patients, at a confidence of 1 - 0.05 R / m for the R confirmed of an audit's m slices (Benjamini and Yekutieli 2005); or wilson_high of errors and rows
-- reads: slices_shown, wilson_high
CREATE MACRO error_rate_high
    (slice) AS (
        SELECT map(list(s.slice_id), list(s.error_rate_high)) FROM slices_shown() AS s
    )[slice::VARCHAR],
    (label, predicted) AS wilson_high(sum((label <> predicted)::INTEGER), count(label <> predicted));
