"""The agent's desktop overlay: what to show (pure) and the window (Qt)."""
