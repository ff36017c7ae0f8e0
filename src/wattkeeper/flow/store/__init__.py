"""The readings' store: ClickHouse, in our own process or on a server. See README.md."""
