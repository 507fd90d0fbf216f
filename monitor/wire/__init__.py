"""What travels: the envelope of events and the schemas of messages."""
