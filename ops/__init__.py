"""Everything that installs, trains, starts, watches and checks an installation; the assistant itself never needs it."""
