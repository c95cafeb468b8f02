"""A message as it came out: its fields as octets, and what a reader's program makes of them."""

import re
from email.header import decode_header, make_header
from email.utils import getaddresses


def split(data):
    """Returns (fields, body): fields is a list of (name, raw field with its line ends)."""
    header, _, body = data.partition(b"\r\n\r\n")
    raw_fields = re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*", header)
    return [(raw.split(b":")[0].decode("latin-1").lower(), raw) for raw in raw_fields], body


def without_transit(data):
    """data without the Received: field that Postfix puts on top, which no two deliveries have in common."""
    fields, body = split(data)
    places = [place for place, (name, _) in enumerate(fields) if name == "received"]
    del fields[places[0]]
    return b"\r\n".join(raw for _, raw in fields) + b"\r\n\r\n" + body


def queue_id(data):
    return re.search(rb"\bid ([0-9A-Za-z]+)", data).group(1).decode()


def values(data, name):
    """The unfolded values of all fields of that name, as text."""
    return [re.sub(rb"\r\n(?=[ \t])", b"", raw.partition(b":")[2]).strip().decode("utf-8", "replace")
            for other, raw in split(data)[0] if other == name.lower()]


def value(data, name):
    found = values(data, name)
    assert len(found) == 1, f"{len(found)} fields {name}"
    return found[0]


def decoded(text):
    """text with its encoded words decoded."""
    return str(make_header(decode_header(text)))


def mailboxes(data, name):
    """The mailboxes of the one field of that name: a list of (display name, address)."""
    return [(decoded(display_name), address) for display_name, address in getaddresses([value(data, name)])]
