"""The pages that only meters have."""
