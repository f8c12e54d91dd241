"""Devices and an ERP that behave like real ones, over real ptys and sockets: for the demo, for training and for tests.

Nothing here is a stand-in for our own code: what talks to a simulator is the real driver and the real courier.
"""
