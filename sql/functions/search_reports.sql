-- name: search_reports
-- signature: search_reports(words, k := 10)
-- inputs: words (text), k (how many, 1 or more)
-- output: a table, the k reports that fit the words best: sample_id, study_id, score, report; a report needs one of the words at least. A word is found wherever it stands, negated or not
-- units: score is 0 or more, comparable within one question
-- source: BM25 (Robertson and Zaragoza 2009) with k1 = 1.2, b = 0.75 and idf = ln(1 + (N - n + 0.5) / (n + 0.5)), over runs of letters and digits in lower case; ties by sample_id, then study_id
-- reads: reports
CREATE MACRO search_reports(words, k := 10) AS TABLE
WITH given AS (
    SELECT
        (words)::VARCHAR AS given_words,
        if(
            (k)::BIGINT >= 1, (k)::BIGINT, error('k is ' || coalesce((k)::VARCHAR, 'NULL') || ': ask for 1 report or more')
        ) AS given_k
),
documents AS (
    SELECT sample_id, study_id, report, regexp_extract_all(lower(report), '[\pL\pN]+') AS told
    FROM main.reports
),
asked AS (
    SELECT DISTINCT unnest(regexp_extract_all(lower(given_words), '[\pL\pN]+')) AS word FROM given
),
sizes AS (SELECT count(*) AS documents_in_all, avg(len(told)) AS usual_length FROM documents),
hits AS (
    SELECT
        d.sample_id, d.study_id, d.report, a.word, len(d.told) AS length,
        len(list_filter(d.told, lambda one: one = a.word)) AS times
    FROM documents AS d CROSS JOIN asked AS a
    WHERE list_contains(d.told, a.word)
),
weights AS (
    SELECT h.word, ln(1 + (any_value(s.documents_in_all) - count(*) + 0.5) / (count(*) + 0.5)) AS weight
    FROM hits AS h CROSS JOIN sizes AS s
    GROUP BY h.word
),
ranked AS (
    SELECT *, row_number() OVER (ORDER BY score DESC, sample_id, study_id) AS place -- LIMIT takes no column
    FROM (
        SELECT
            h.sample_id, h.study_id,
            sum(w.weight * h.times * 2.2 / (h.times + 1.2 * (0.25 + 0.75 * h.length / s.usual_length))) AS score,
            h.report
        FROM hits AS h JOIN weights AS w ON w.word = h.word CROSS JOIN sizes AS s
        GROUP BY h.sample_id, h.study_id, h.report
    )
)
SELECT sample_id, study_id, score, report
FROM ranked JOIN given ON place <= given_k
ORDER BY place;
