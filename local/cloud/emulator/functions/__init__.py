"""Lambda: functions and what they run with."""
