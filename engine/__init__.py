"""misread finds, explains and lets people query the slices of data that an image classifier misreads."""
