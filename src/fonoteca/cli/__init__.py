"""The command line: the only reader of argv, the environment, the clock and the home folder."""
