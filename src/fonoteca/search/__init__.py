"""Full-text index over a snapshot: build, query language, ranking. Disposable."""
