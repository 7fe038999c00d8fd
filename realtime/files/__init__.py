"""Audio files: read, write, record, enhance."""
