"""Restoring files: the list, the worker process and the window."""
