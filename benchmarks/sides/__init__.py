"""Programs that the harness runs as processes of their own: ``python -m benchmarks.sides.NAME …``."""
