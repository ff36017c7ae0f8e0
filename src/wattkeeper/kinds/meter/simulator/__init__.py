"""A seeded simulator of a building's meters: the gateway messages that each sends, without end.

What a counter shows at a time follows from the uses of the days before, and these from the weather, the habits of the
flat and the seed. So telegrams of one meter taken daily and hourly agree where they meet, and the same seed, number and
origin give the same life, whatever else is in the building. Ten places in sixty are in trouble.
"""
