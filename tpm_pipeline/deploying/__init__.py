"""Bringing forms and people onto a server: what would change, what stands against it, and the phones' codes."""
