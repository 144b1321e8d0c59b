"""What any backend can be held against: small networks that cover every op,
and the laws of the protocol.
"""
