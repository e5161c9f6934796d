"""What the data is: the contracts of every table, value types and errors. No work is done here."""
