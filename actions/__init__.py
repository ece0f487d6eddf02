"""Custom actions: they act and report an outcome; rules and stories choose what is said next."""
