"""DNS for the tests of the advice: a zone as {(name, type): [value]}, given to spfrom and to pyspf alike."""

DOMAIN = "praxis.de"
HELO = "relay.lemniscus.de"

# What relays there are, by a short name.
RELAYS = {
    "ses": "relay_hosts = { spf:amazonses.com }",
    "ip": "relay_hosts = { 192.0.2.25 }",
    "host": "relay_hosts = { relay.lemniscus.de }",
    "both": "relay_hosts = { relay.lemniscus.de, spf:amazonses.com }",
    "net": 'relay_hosts = { 192.0.2.25, "192.0.2.64/27" }',
    "own": 'relay_hosts = { 192.0.2.25, "2001:db8::25" }\nadvice_mechanisms = { include:spf.lemniscus.de }',
    "any": "relay_hosts = { 192.0.2.25, spf:amazonses.com }\nrelay_policy = any",
    "six": 'relay_hosts = { "2001:db8::25" }',
    "neutral": 'relay_hosts = { 192.0.2.25 }\nadvice_policy = "?all"',
    "hard": 'relay_hosts = { 192.0.2.25 }\nadvice_policy = "-all"',
}

BASE = {
    ("amazonses.com", "TXT"): ["v=spf1 ip4:199.255.192.0/22 ip4:199.127.232.0/22 ip4:54.240.0.0/18 -all"],
    ("spf.lemniscus.de", "TXT"): ["v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"],
    ("relay.lemniscus.de", "A"): ["192.0.2.25"],
    ("relay.lemniscus.de", "AAAA"): ["2001:db8::25"],
    ("_spf.google.com", "TXT"): [
        "v=spf1 include:_n1.google.com include:_n2.google.com include:_n3.google.com ~all"],
    ("_n1.google.com", "TXT"): ["v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ~all"],
    ("_n2.google.com", "TXT"): ["v=spf1 ip6:2001:4860:4000::/36 ~all"],
    ("_n3.google.com", "TXT"): ["v=spf1 ip4:172.217.0.0/19 ~all"],
    (DOMAIN, "A"): ["198.51.100.80"],
    (DOMAIN, "MX"): [(10, "mail.x.org")],
    ("mail.x.org", "A"): ["198.51.100.7"],
    ("mail.x.org", "AAAA"): ["2001:db8:7::7"],
    # others' records, some of them with trouble of their own
    ("loop.x.org", "TXT"): ["v=spf1 include:loop2.x.org -all"],
    ("loop2.x.org", "TXT"): ["v=spf1 include:loop.x.org -all"],
    ("bad.x.org", "TXT"): ["v=spf1 foo -all"],
    ("two.x.org", "TXT"): ["v=spf1 -all", "v=spf1 mx -all"],
    ("ptr.x.org", "TXT"): ["v=spf1 ptr a:h1.x.org -all"],
    ("redir.x.org", "TXT"): ["v=spf1 redirect=_spf.google.com"],
    ("deep.x.org", "TXT"): ["v=spf1 include:redir.x.org a:h1.x.org mx:praxis.de -all"],
    ("deep2.x.org", "TXT"): ["v=spf1 include:deep3.x.org -all"],
    ("deep3.x.org", "TXT"): ["v=spf1 include:amazonses.com -all"],
    ("neg.x.org", "TXT"): ["v=spf1 -ip4:203.0.113.7 ip4:203.0.113.0/24 -all"],
    ("all.x.org", "TXT"): ["v=spf1 ip4:203.0.113.0/24 +all"],
    ("praxis.de._spf.x.org", "TXT"): ["v=spf1 ip4:203.0.113.1 -all"],
    ("postmaster._spf.x.org", "A"): ["127.0.0.2"],
    **{(f"h{i}.x.org", "A"): [f"198.51.100.{100 + i}"] for i in range(14)},
    **{(f"h{i}.x.org", "AAAA"): [f"2001:db8:5::{i}"] for i in range(1, 14, 2)},
    **{(f"i{i}.x.org", "TXT"): [f"v=spf1 ip4:203.0.113.{i} -all"] for i in range(14)},
}

# Addresses that records of the tests authorise, besides the relays.
PROBES = [
    "203.0.113.0", "203.0.113.1", "203.0.113.7", "203.0.113.13", "198.51.100.100", "198.51.100.101", "198.51.100.110",
    "198.51.100.80", "198.51.100.7", "198.51.100.9", "35.190.247.1", "172.217.0.5", "192.0.2.25", "192.0.2.200",
    "54.240.1.1", "2001:db8:7::7", "2001:db8:5::1", "2001:4860:4000::1", "2001:db8::25",
]


def with_records(records, more=None):
    return {**BASE, **(more or {}), (DOMAIN, "TXT"): list(records)}


def _quoted(text):
    octets = text.encode()
    strings = [octets[at:at + 255] for at in range(0, len(octets), 255)] or [b""]
    return " ".join('"' + "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03}"
                                  for octet in string) + '"' for string in strings)


def _data(kind, value):
    if kind in ("TXT", "SPF"):
        return _quoted(value)
    if kind == "MX":
        return f"{value[0]} {value[1]}."
    return f"{value}." if kind in ("NS", "CNAME") else value


def zone_file(zone):
    return "".join(f"{name}. 300 IN {kind} {_data(kind, value)}\n"
                   for (name, kind), values in zone.items() for value in values)
