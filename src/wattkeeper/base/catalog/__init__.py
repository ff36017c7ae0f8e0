"""The vocabulary: units, channels, streams, kinds. Pure Python, no Django."""
