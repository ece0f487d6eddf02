"""How well messages are understood: report cards, pipelines side by side, learning curves.

Nothing here runs in a conversation, and nothing here makes a model another one.
"""
