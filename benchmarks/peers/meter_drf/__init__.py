"""The peer of `/api/data/`: a plain Django, DRF and PostgreSQL program that keeps gateways' messages.

Written as such programs are: a serializer with nested ones, a key that is looked up at each request, one row a message,
kept as JSON, and a commit before the answer. Settings are Django's own where nothing stands here.
"""
