"""What a volunteer runs: trust, plan under a disk budget, fetch, verify, seed."""
