"""What Rasa loads from us beside the model: its one channel, and small mends of Rasa 3.6 that the channel needs."""
