"""What the command line prints while it runs."""
