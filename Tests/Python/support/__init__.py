"""Helpers shared by the Python tests, the crash driver and the benchmarks."""
