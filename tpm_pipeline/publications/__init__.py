"""Publications: one writer per format."""
