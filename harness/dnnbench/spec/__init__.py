"""What a network is, as frozen data: no framework, no device, no behaviour beyond
shapes and counts.
"""
