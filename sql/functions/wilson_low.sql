-- name: wilson_low
-- signature: wilson_low(events, rows)
-- inputs: events, rows (counts, events of the rows)
-- output: the lower end of the 95 % interval of events / rows; NULL where there are no rows
-- units: 0 to 1
-- source: score interval (Wilson 1927) at 95 %, its ends never beyond 0 and 1
-- reads: none
CREATE MACRO wilson_low(events, rows) AS
    CASE WHEN rows > 0 THEN greatest(0.0,
        (events + 1.959963984540054 ^ 2 / 2 - 1.959963984540054 * sqrt(
            greatest(events * (rows - events)::DOUBLE / rows, 0) + 1.959963984540054 ^ 2 / 4
        )) / (rows + 1.959963984540054 ^ 2)
    ) END;
