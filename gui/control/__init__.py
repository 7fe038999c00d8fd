"""Logic of the window: session, engine thread, actions, settings."""
