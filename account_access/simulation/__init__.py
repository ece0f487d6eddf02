"""Plays a period with the product's own rules (account_access/cadence), from files: no server, network or store."""
