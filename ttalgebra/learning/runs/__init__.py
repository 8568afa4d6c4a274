"""Runs that survive: saved, stopped, gone on with; and what they say meanwhile."""
