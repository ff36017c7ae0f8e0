"""What the fleet's dashboard shows, in few questions whatever the fleet's size."""
