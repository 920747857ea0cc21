"""Measurements, run by hand: figures as ratios against something in the same run, since machines differ and drift."""
