"""What is in an audio file: probe, full decode check, tags. Foreign bytes are read in a limited child process."""
