"""What is asked of readings, and what each reading answers. See README.md."""
