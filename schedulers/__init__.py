"""The sidecar that watches the identity systems and speaks first."""
