"""The components of our own in Rasa's NLU pipeline."""
