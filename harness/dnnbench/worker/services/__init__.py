"""What a worker can be asked: one abstract class a service, beside the messages that its methods
take and give.
"""
