"""The sample rates of the product, in Hz."""

SAMPLE_RATE_IN = 22_050
SAMPLE_RATE_OUT = 44_100

# The networks' rates are nominal: what comes in between is doubled as it is, 24 to 48 kHz say.
MIN_NATIVE_RATE, MAX_NATIVE_RATE = 20_000, 26_000
# Every other rate in this range is converted first.
MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8_000, 384_000
