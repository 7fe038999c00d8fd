"""Signal processing without threads or devices: processors, ramps, rate conversion."""
