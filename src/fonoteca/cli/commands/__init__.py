"""One file per command (or group): its help, its arguments, and what it calls."""
