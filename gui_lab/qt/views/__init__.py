"""Views: dumb widgets that are fed with values and know nothing of sessions, runs or files."""
