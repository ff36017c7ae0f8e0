"""Each page is a view: parse, ask, render."""
