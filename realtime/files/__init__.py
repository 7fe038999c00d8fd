"""Audio files: read, write, enhance."""
