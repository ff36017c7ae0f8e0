"""What programs may ask of meters."""
