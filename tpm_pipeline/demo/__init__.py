"""Demo: a synthetic population that fills the forms."""
