"""The judge evaluates rules on facts, opens and closes alerts, and schedules cards."""
