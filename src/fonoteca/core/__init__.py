"""What every package may use: errors, identifiers, durable files, hashing, progress. Imports nothing of ours."""
