-- name: queries
-- inputs: queries
-- output: one row a question kept in the store by name
-- units: saved_at in UTC
-- reads: stored_queries
CREATE VIEW queries AS
SELECT name, question, saved_at
FROM stored_queries;
