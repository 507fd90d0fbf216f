"""Clients of a hub: addresses, credentials, the uplink and the follower."""
