"""Tiers, packs, torrents, snapshot, locator, ledger, edition, signing."""
