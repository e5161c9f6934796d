-- name: samples
-- inputs: predictions, images, latest_audits, audited, slices, memberships
-- output: one row a sample, model and target: the prediction, what the newest audit of the model and target made of it, and every column of images; a column of images that has the name of another one here is called metadata_ and its name, with a number where that is taken, too
-- units: label and predicted 0 or 1; score and threshold 0 to 1; half 'discovery' or 'confirmation', NULL where the audit did not judge the sample; slice_ids holds every slice that takes the sample, slice_id the one of them found for the sample's own label, or in an audit of losses for any sample with a loss: the confirmed before others, then by q_value, then by slice_id; NULL for none
-- reads: predictions, images, latest_audits, audited, slices, memberships
CREATE VIEW samples AS
WITH taken AS (
    SELECT
        l.audit_id, l.model, l.target, m.sample_id, s.slice_id AS taker, s.true_class AS found_for,
        (NOT s.confirmed, s.q_value, s.slice_id) AS place
    FROM main.latest_audits AS l
    JOIN main.slices AS s USING (audit_id, model, target)
    JOIN main.memberships AS m USING (audit_id, slice_id)
),
members AS (
    SELECT
        audit_id, model, target, sample_id,
        list(taker ORDER BY taker) AS slice_ids,
        arg_min(taker, place) FILTER (found_for = 1) AS slice_of_1,
        arg_min(taker, place) FILTER (found_for = 0) AS slice_of_0,
        arg_min(taker, place) FILTER (found_for IS NULL) AS slice_of_loss
    FROM taken
    GROUP BY audit_id, model, target, sample_id
),
renamed AS (
    SELECT *, COLUMNS(
        '(?i)^(\.|model|task|target|label|score|threshold|loss|predicted|error|error_kind|audit_id|half|slice_id|slice_ids)$'
    ) AS 'metadata_\0'
    FROM (SELECT *, 0 AS "." FROM main.images) -- COLUMNS asks for a match; no stored name has a dot
),
own AS ( -- EXCLUDE asks that every name be there
    SELECT
        0 AS ".", 0 AS model, 0 AS task, 0 AS target, 0 AS label, 0 AS score, 0 AS threshold, 0 AS loss,
        0 AS predicted, 0 AS error, 0 AS error_kind, 0 AS audit_id, 0 AS half, 0 AS slice_id, 0 AS slice_ids
),
described AS (
    SELECT * EXCLUDE (
        ".", model, task, target, label, score, threshold, loss, predicted, error, error_kind, audit_id, half,
        slice_id, slice_ids
    )
    FROM renamed CROSS JOIN own
)
SELECT
    p.sample_id, p.model, p.task, p.target, p.label, p.score, p.threshold, p.loss, p.predicted, p.error, p.error_kind,
    l.audit_id, a.half,
    coalesce(
        if(p.label = 1, m.slice_of_1, if(p.label = 0, m.slice_of_0, NULL)),
        if(p.loss IS NOT NULL, m.slice_of_loss, NULL)
    ) AS slice_id,
    m.slice_ids,
    d.* EXCLUDE (sample_id, "metadata_.")
FROM main.predictions AS p
LEFT JOIN described AS d ON d.sample_id = p.sample_id
LEFT JOIN main.latest_audits AS l ON l.model = p.model AND l.target = p.target
LEFT JOIN main.audited AS a
    ON a.audit_id = l.audit_id AND a.model = p.model AND a.target = p.target AND a.sample_id = p.sample_id
LEFT JOIN members AS m
    ON m.audit_id = l.audit_id AND m.model = p.model AND m.target = p.target AND m.sample_id = p.sample_id;
