"""Metrics, methods, tables and plots."""
