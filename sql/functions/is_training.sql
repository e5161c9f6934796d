-- name: is_training
-- signature: is_training(split)
-- inputs: split (text)
-- output: whether rows of this split are left out of audits and of what is told of errors: train, whatever its case and the spaces around it; false for NULL
-- units: true or false
-- source: as audits have it
-- reads: none
CREATE MACRO is_training(split) AS coalesce(lower(trim(split, E' \t\r\n')) = 'train', false);
