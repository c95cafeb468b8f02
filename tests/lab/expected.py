"""Is a message that arrived what its case says? The same answer for every MTA."""

import re

from lab import arrived

# What a rewrite may change; everything else has to be as it would be without us.
_REWRITTEN_FIELDS = {"from", "reply-to", "author", "x-original-from", "x-spfrom", "sender", "return-path",
                     "dkim-signature"}


def comparable(data):
    """(fields, body) without Received:, which no two deliveries have in common."""
    fields, body = arrived.split(data)
    return [(name, raw) for name, raw in fields if name != "received"], body


def parameters(delivery):
    """SIZE counts the octets of Received:, whose queue id varies in length."""
    return [word for word in delivery.mail_parameters if not word.startswith("SIZE=")]


def assert_same(delivery, reference):
    assert comparable(delivery.data) == comparable(reference.data)
    assert delivery.sender == reference.sender
    assert parameters(delivery) == parameters(reference)


def assert_mailboxes(found, wanted):
    """wanted has patterns in place of names that the MTA chooses."""
    assert len(found) == len(wanted), found
    for (name, address), (wanted_name, wanted_address) in zip(found, wanted):
        assert address == wanted_address
        if isinstance(wanted_name, re.Pattern):
            assert wanted_name.search(name), name
        else:
            assert name == wanted_name


def _assert_rest_is_same(data, reference):
    fields, body = comparable(data)
    wanted_fields, wanted_body = comparable(reference)
    assert body == wanted_body
    assert [raw for name, raw in fields if name not in _REWRITTEN_FIELDS] == \
           [raw for name, raw in wanted_fields if name not in _REWRITTEN_FIELDS]


def _assert_header(delivery, case, reference):
    assert_mailboxes(arrived.mailboxes(delivery.data, "From"), case.author)
    for name, wanted in case.has.items():
        if isinstance(wanted, str):
            assert re.search(wanted, arrived.value(delivery.data, name))
        else:
            assert_mailboxes(arrived.mailboxes(delivery.data, name), wanted)
    for name in case.lacks:
        assert not arrived.values(delivery.data, name), name
    assert arrived.split(delivery.data)[0][0][0] in ("x-spfrom", "received")
    assert b"\r\r" not in delivery.data
    assert max(map(len, delivery.data.split(b"\r\n"))) <= 998
    _assert_rest_is_same(delivery.data, reference.data)


def assert_as_in_case(delivery, case, reference):
    """reference is the same message through the same MTA without the milter."""
    if case.action == "keep":
        assert_same(delivery, reference)
        return
    assert delivery.sender == (reference.sender if case.envelope is None else case.envelope)
    assert parameters(delivery) == parameters(reference)
    if case.is_rewritten:
        _assert_header(delivery, case, reference)
    else:
        assert comparable(delivery.data) == comparable(reference.data)
