"""The two sample rates of the product."""

SAMPLE_RATE_IN = 22_050
SAMPLE_RATE_OUT = 44_100
