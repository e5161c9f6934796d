"""The auditor's question on a million samples."""
