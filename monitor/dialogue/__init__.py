"""Dialogue tracking: slots, repeats, entities, and which side is the agent."""
