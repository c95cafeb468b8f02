"""Tokens of return addresses as design section 19 has them, made without the program."""

import base64
import hashlib
import hmac


def token_of(daemon, author):
    """author's token on that daemon; author is LOCALPART@DOMAIN in lower case."""
    key = (daemon.directory / "state" / "return.key").read_bytes()
    return base64.b32encode(hmac.digest(key, author.encode(), hashlib.sha256)[:10]).decode().lower()
