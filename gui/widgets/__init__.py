"""Widgets, icons and the theme."""
