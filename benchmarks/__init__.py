"""Measurements of fonoteca beside its peers: ``python -m benchmarks [NAME …]`` (docs/benchmarks.md)."""
