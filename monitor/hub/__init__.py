"""The hub: server, event log, access control, listeners and metrics."""
