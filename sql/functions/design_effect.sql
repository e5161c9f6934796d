-- name: design_effect
-- signature: design_effect(events, rows)
-- inputs: events, rows (counts, one pair a patient)
-- output: an aggregate: how many times wider than independent rows the variance of sum(events) / sum(rows) is because patients repeat, never less than 1; NULL without rows. Divide events and rows by it before wilson_low and wilson_high
-- units: ratio
-- source: the between-patient variance of a ratio over that of a binomial (Kish 1965; Cochran 1977, chapter 11); where all rows are alike, that of rows that say nothing new within a patient, sum(rows ^ 2) / sum(rows)
-- reads: none
CREATE MACRO design_effect(events, rows) AS
    CASE
        WHEN coalesce(sum(rows), 0) = 0 THEN NULL
        WHEN sum(events) = 0 OR sum(events) = sum(rows) THEN sum(rows * rows) / sum(rows)
        ELSE greatest(1.0, (
            sum(events * events) - 2 * sum(events) / sum(rows) * sum(events * rows)
            + (sum(events) / sum(rows)) ^ 2 * sum(rows * rows)
        ) / (sum(events) * (1 - sum(events) / sum(rows))))
    END;
