"""Where samples come from and go to: devices, files, and queues to and from the worker."""
