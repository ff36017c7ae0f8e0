"""A delimited text file in chunks: received in any order, kept until its rows are safe, loaded as a whole."""
