-- name: rate_high
-- signature: rate_high(events, rows, confidence := 0.95)
-- inputs: events, rows (counts, one pair a patient: events of the patient's rows); confidence (0 to 1, one number a group: more where the intervals of several groups are to hold together)
-- output: an aggregate: the upper end of the interval of sum(events) / sum(rows), widened where patients have several rows; NULL without rows
-- units: 0 to 1
-- source: Wilson's interval of as many rows as they are worth beside independent ones (Kish 1965; Korn and Graubard 1998); with one row a patient wilson_high of the sums, at 95 %
-- reads: none
-- needs: rate_interval
CREATE MACRO rate_high(events, rows, confidence := 0.95) AS
    (python_rate_interval(list(events::BIGINT), list(rows::BIGINT), (confidence)::DOUBLE)).high;
