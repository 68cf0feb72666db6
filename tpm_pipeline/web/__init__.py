"""Web: the local server that phones and browsers speak to."""
