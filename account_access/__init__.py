"""The domain of Account Access: people, offers, requests, notices, policy, audit, and the systems behind them.

Nothing here imports Rasa or rasa_sdk; the door, the channel, the actions and the schedulers import this.
"""
