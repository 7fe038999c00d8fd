"""Widgets and the theme."""
