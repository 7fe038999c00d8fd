"""What the window's parts ask for: the session, the engine's thread, actions, settings."""
