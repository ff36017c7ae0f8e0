"""What is billed by: of each month the latest message of each meter."""
