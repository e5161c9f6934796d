-- name: auroc
-- signature: auroc(label, score)
-- inputs: label (0 or 1), score (0 to 1) a row
-- output: an aggregate: the area under the receiver operating characteristic curve: how likely a row labelled 1 has the higher score than one labelled 0, ties counting half; rows where either is NULL do not count; NULL unless both labels are there
-- units: 0 to 1
-- source: Mann-Whitney U / (n1 * n0) by ranks (Hanley and McNeil 1982); the mean of the rank sums with ties in either order is the sum of the mid-ranks
-- reads: none
CREATE MACRO auroc(label, score) AS
    ((
        list_dot_product(
            list(label::DOUBLE ORDER BY score::DOUBLE, label::DOUBLE) -- without casts no constant could stand here
                FILTER (label IS NOT NULL AND score IS NOT NULL),
            range(1, count(label + score) + 1)::DOUBLE[]
        )
        + list_dot_product(
            list(label::DOUBLE ORDER BY score::DOUBLE, label::DOUBLE DESC)
                FILTER (label IS NOT NULL AND score IS NOT NULL),
            range(1, count(label + score) + 1)::DOUBLE[]
        )
    ) / 2 - (count(score) FILTER (label = 1)) * (count(score) FILTER (label = 1) + 1.0) / 2)
    / nullif((count(score) FILTER (label = 1)) * (count(score) FILTER (label = 0))::DOUBLE, 0);
