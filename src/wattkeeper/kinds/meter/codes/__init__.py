"""What a gateway's messages are written in: dimension strings, media, status bits, manufacturers. Pure Python.

Each module names its source. What is not in its table is kept as it came.
"""
