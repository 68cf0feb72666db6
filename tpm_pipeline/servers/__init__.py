"""Servers: where forms live and submissions come from."""
