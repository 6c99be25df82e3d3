"""Catalogues that nobody made, in the forms that real ones come in, of any size: ``python -m benchmarks.generate``.

Everything is drawn from the distributions of real open catalogues (docs/benchmarks.md, section "Generated catalogues").
The same seed, number of tracks and shard give the same bytes, on any machine, in any number of processes.
"""
