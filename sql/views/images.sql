-- name: images
-- inputs: images
-- output: one row a sample: its ids, split, path, width and height, media type, and every metadata column
-- units: width and height in pixels
-- reads: stored_images
CREATE VIEW images AS
FROM stored_images;
