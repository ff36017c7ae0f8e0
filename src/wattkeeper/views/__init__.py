"""How people and programs look at it: the parts that serve every kind of thing."""
