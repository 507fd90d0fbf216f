"""A call monitor: listens to both sides of a phone call and helps the agent handle a difficult one."""

__version__ = "0.1.0"
