-- name: value_label
-- signature: value_label(value)
-- inputs: value (any)
-- output: the value as text, 'missing' for NULL; a text that is the word missing itself, in any number of double quotes, gets a further pair of them, so that no value is labelled as NULL is, or as another value
-- units: text
-- source: none
-- reads: none
CREATE MACRO value_label(value) AS
    CASE
        WHEN value IS NULL THEN 'missing'
        WHEN regexp_full_match(value::VARCHAR, '"*missing"*') THEN '"' || value::VARCHAR || '"'
        ELSE value::VARCHAR
    END;
