"""The live engine; start reading here, with open.py."""
