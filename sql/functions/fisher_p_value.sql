-- name: fisher_p_value
-- signature: fisher_p_value(inside_with, inside, with, total)
-- inputs: inside_with of the inside have it; with of the total have it (counts)
-- output: how likely at least inside_with of the inside would have it if it had nothing to do with being inside; 1 for 0; NULL where a count is, and for counts that cannot be (more inside that have it than are inside or have it, or more of either than the total)
-- units: 0 to 1
-- source: Fisher's exact test, one-sided: the upper tail of the hypergeometric distribution
-- reads: none
CREATE MACRO fisher_p_value(inside_with, inside, with_it, total) AS
    CASE
        -- least() passes over a NULL, and would give 1
        WHEN inside_with + inside + with_it + total IS NULL OR inside_with > least(inside, with_it) THEN NULL
        WHEN greatest(inside, with_it) > total THEN NULL
        WHEN inside_with <= 0 THEN 1.0
        ELSE least(1.0, list_sum(list_transform(
            range(inside_with, least(inside, with_it) + 1),
            lambda k: exp(
                lgamma(with_it + 1) - lgamma(k + 1) - lgamma(with_it - k + 1)
                + lgamma(total - with_it + 1) - lgamma(inside - k + 1) - lgamma(total - with_it - inside + k + 1)
                - lgamma(total + 1) + lgamma(inside + 1) + lgamma(total - inside + 1)
            )
        )))
    END;
