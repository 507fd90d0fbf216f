"""The judge: rules are evaluated, alerts are opened and closed, cards are scheduled."""
