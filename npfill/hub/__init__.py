"""Weights on the Hugging Face Hub: an address, the local cache and the network."""

from npfill.hub.address import PREFIX, Address, is_address, parse
from npfill.hub.cache import cached, place, remove, root
from npfill.hub.client import offline
from npfill.hub.download import fetch

__all__ = [
    "PREFIX",
    "Address",
    "cached",
    "fetch",
    "is_address",
    "offline",
    "parse",
    "place",
    "remove",
    "root",
]
