"""The rules of time, pure: given what was sent and what the settings say, when may the next message go (law 9)."""
