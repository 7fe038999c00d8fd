"""The Qt window. Imports nothing but ``realtime``."""
