"""Pulling: what a server holds comes into raw."""
