"""The process that holds one arm: how it is started and asked, and what it times,
checks and trains when it is asked.
"""
