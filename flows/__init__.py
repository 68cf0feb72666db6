"""Flows: when things run. The only place that knows Prefect."""

import os

# No usage figure ever leaves the machine, whoever starts the flow.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
