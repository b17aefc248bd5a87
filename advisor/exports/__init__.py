"""A run's answer as files that leave the app: one file of code a format, one list of all."""
