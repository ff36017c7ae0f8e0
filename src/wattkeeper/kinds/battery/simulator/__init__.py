"""A seeded simulator of battery packs: what a pack tells at any time since its origin, without end.

A life is a row of phases (charge, rest, discharge), and what a pack says at a time follows from the phase alone. So a
life costs nothing where nobody looks, samples of one life taken at different intervals agree where they meet, and the
same seed, number and origin give the same life, whatever else is in the fleet. One pack in twenty is in trouble.
"""
