"""What a reading is, and what becomes of one: pure, no Django, no engine. See README.md."""
