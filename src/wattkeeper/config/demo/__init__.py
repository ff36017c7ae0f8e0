"""The demo: a tenant with people and simulated fleets, whose history is loaded and whose present is fed in."""
