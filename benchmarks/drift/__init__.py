"""How often the drift watch alarms."""
