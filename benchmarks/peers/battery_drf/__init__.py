"""The peer of `update_status`: a plain Django, DRF and SQLite program that does what the contract's program does.

Written as such programs are: a ModelViewSet, one transaction a request, a new alert for every reading that matches. It
asks nobody who calls, which spares it a query. Settings are Django's own where nothing stands here.
"""
