-- name: slices
-- inputs: slices
-- output: one row a slice, with its size, error rate or mean loss, tests, and what it is in words; in an audit of losses true_class and errors are NULL, elsewhere losses are
-- units: rows, errors and patients are counts; rates 0 to 1; losses as given; lift is a ratio; p and q values 0 to 1; search_p_value is made to be compared with 0.05 and rough at other levels, as few shuffles decide it; intervals as error_rate_low and error_rate_high have them
-- reads: stored_slices
CREATE VIEW slices AS
SELECT
    audit_id, slice_id, model, target, true_class, error_kind, discovery_rows, discovery_errors,
    discovery_patients, discovery_error_rate, discovery_baseline_rate, discovery_mean_loss, discovery_baseline_loss, scan_statistic,
    search_p_value, stability, confirmation_rows, confirmation_errors, confirmation_patients, baseline_patients,
    other_class_rows, share, share_low, share_high, error_rate, error_rate_low, error_rate_high, baseline_rate,
    mean_loss, mean_loss_low, mean_loss_high, baseline_loss, lift, p_value, q_value, confirmed, cut,
    sentence, rule, rule_precision, rule_recall, rule_fewest_patients
FROM stored_slices;
