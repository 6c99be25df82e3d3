"""The catalogue: tables, generations, ingest, popularity, coverage and the read side."""
