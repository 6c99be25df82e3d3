"""Claims, licences, policy, the gate (default deny), withdrawals, attribution."""
