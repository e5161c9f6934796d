-- name: metadata_value
-- signature: metadata_value(sample_id, column_name)
-- inputs: sample_id, column_name (text)
-- output: the sample's value of that metadata column as the view metadata has it: numbers in quarters, 'missing' for NULL; NULL for a sample or column that is not there
-- units: text
-- source: metadata.value
-- reads: metadata
CREATE MACRO metadata_value(sample, asked) AS (
    SELECT any_value(its_value.value)
    FROM (SELECT sample AS given_sample, asked AS given_column) JOIN main.metadata AS its_value
        ON its_value.sample_id = given_sample AND its_value.column_name = given_column
);
