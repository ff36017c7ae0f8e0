"""Live frames: what has changed, pushed to whoever looks. See README.md."""
