"""What the rules' answers come to: alerts that open, are taken care of, and close. See README.md."""
