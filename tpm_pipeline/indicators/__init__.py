"""Indicators: from facts to logframe values."""
