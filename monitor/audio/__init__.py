"""From samples to what a listener notices: activity, pitch, effort, talk-over, trouble with the line."""
