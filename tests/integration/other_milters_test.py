"""Beside other milters, in the orders that the manual recommends, and in one of which it warns."""

import re
from types import SimpleNamespace

import dkim
import pytest

from lab import arrived
from lab import cases
from lab import mta_chain
from lab import other_milters
from lab.cases import MUELLER, OHNE, message
from conftest import need
from lab.mta_chain import MTAS, MtaChain, for_sendmail
from lab.other_milters import DkimKey, OpenDmarc, Rspamd, Signer, Verifier
from lab.zone import FALLBACK, ZONE_FILE

AUTHSERV_ID = "mx.lemniscus.de"
EVIL = "evil.example"  # signs its own mail, with any author


@pytest.fixture(scope="module", params=MTAS)
def mta(request):
    need(mta_chain.why_not(request.param) or other_milters.why_not())
    return request.param


@pytest.fixture(scope="module")
def keys(directory):
    return {domain: DkimKey(directory, domain) for domain in ("lemniscus.de", "praxis-ohne.de", EVIL)}


# domain, its record in terms of ours and a stranger's; is the author kept?
CONSENT = [("praxis-ohne.de", None, True), ("dkim-copy.example", "{ours}", True),
           ("dkim-revoked.example", "v=DKIM1; p=", False), ("dkim-testing.example", "{ours}; t=y", False),
           ("dkim-foreign.example", "{other}", False), ("dkim-none.example", "v=spf1 -all", False),
           ("dkim-kind.example", "{kind}", False), ("dkim-long.example", "{ours}; n=" + "long notes " * 1400, True),
           ("dkim-loop.example", "CNAME dkim-loop.example.", False), ("abrechnung.dkim-sub.example", None, True)]


def consent_zone(keys):
    """The zone of all tests, with our key and what others publish at its selector; None is a CNAME."""
    def text(record):
        return " ".join(f'"{record[begin:begin + 200]}"' for begin in range(0, len(record), 200))

    ours, other = keys["lemniscus.de"], keys[EVIL]
    kind = ours.record.replace("k=rsa", "k=ed25519")
    lines = [f"{ours.name}. TXT {text(ours.record)}", "dkim-loop.example. CNAME test._domainkey.dkim-loop.example."]
    for domain, record, _ in CONSENT:
        value = record or f"CNAME {ours.name}."
        if not value.startswith("CNAME "):
            value = f"TXT {text(value.format(ours=ours.record, other=other.record, kind=kind))}"
        lines.append(f"test._domainkey.{domain}. {value}")
    return ZONE_FILE + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def milters(directory, daemons, keys):
    """By the names that the tests write."""
    need(other_milters.why_not())
    made = {
        "spfrom": for_sendmail(daemons.start()),
        "spfrom-consent": for_sendmail(daemons.start(zone=consent_zone(keys), dkim_consent=["test"])),
        "author-signer": Signer(directory / "author-signer", keys["lemniscus.de"], "relaxed/simple", "%"),
        "spfrom-exempt": for_sendmail(daemons.start(exempt_dkim=AUTHSERV_ID)),
        "signer": Signer(directory / "signer", keys["lemniscus.de"], "relaxed/simple"),
        "strict-signer": Signer(directory / "strict-signer", keys["lemniscus.de"], "simple/simple"),
        "verifier": Verifier(directory / "verifier", keys.values(), AUTHSERV_ID),
        "opendmarc": OpenDmarc(directory / "opendmarc", {"_dmarc.klinik-nord.de": "v=DMARC1; p=reject"}, AUTHSERV_ID),
        "rspamd": Rspamd(directory / "rspamd", AUTHSERV_ID),
    }
    yield made
    for name in ("signer", "strict-signer", "author-signer", "verifier", "opendmarc", "rspamd"):
        made[name].kill()


@pytest.fixture(scope="module")
def chain(directory, mta, milters):
    """Names of milters in their order → an MtaChain."""
    made = {}

    def of(*names):
        if names not in made:
            path = directory / f"{mta}-{'-'.join(names)}"
            made[names] = MtaChain(mta, path, [milters[name] for name in names]).__enter__()
        return made[names]
    yield of
    for each in made.values():
        each.__exit__()


class _FarEnd:
    """What a receiver makes of signatures."""

    def __init__(self, keys):
        self._records = {f"{key.name}.".encode(): key.record.encode() for key in keys}

    def _passes(self, data, number):
        try:
            return dkim.DKIM(data).verify(number, lambda name, **_: self._records.get(name))
        except dkim.DKIMException:
            return False

    def passing(self, data):
        """The domains whose signature passes."""
        signatures = arrived.values(data, "DKIM-Signature")
        return {re.search(r"\bd=([^;\s]+)", signature).group(1)
                for number, signature in enumerate(signatures) if self._passes(data, number)}


@pytest.fixture(scope="module")
def far_end(keys):
    return _FarEnd(keys.values())


def _signed(key, data, identity=None, tags=""):
    """tags stand behind s=, as they are."""
    return dkim.sign(data, (key.selector + tags).encode(), key.domain.encode(), key.pem,
                     identity=identity and identity.encode(), canonicalize=(b"relaxed", b"simple")) + data


def _broken(data):
    return data.replace(b"Guten Tag", b"Guten Abend")


# OpenDKIM signs nothing that bears a signature against the grammar, as that in own-signature-goes.
REWRITTEN = [case for case in cases.REWRITE if case.is_rewritten and not case.xclient and not case.parameters
             and case.name != "own-signature-goes"]
KEPT = {"fallback-domain": "info@lemniscus.de",
        "encoded": f"Praxis =?utf-8?q?M=C3=BCller?= <{MUELLER}>",
        "two-authors": f'"Praxis, M" <{MUELLER}>, info@klinik-nord.de'}


@pytest.mark.parametrize("signer", ["signer", "strict-signer"])
@pytest.mark.parametrize("case", REWRITTEN, ids=str)
def test_signer_after_us(chain, far_end, signer, case):
    """Rewritten, then signed by the domain that From: shows: DMARC passes on DKIM too."""
    delivery = chain("spfrom", signer).send(case.sender, case.message())
    assert arrived.mailboxes(delivery.data, "From")[0][1] == FALLBACK
    assert far_end.passing(delivery.data) == {"lemniscus.de"}


@pytest.mark.parametrize("signer", ["signer", "strict-signer"])
@pytest.mark.parametrize("author", KEPT.values(), ids=KEPT)
def test_signer_after_us_kept(chain, far_end, signer, author):
    delivery = chain("spfrom", signer).send(MUELLER, message(f"From: {author}"))
    assert far_end.passing(delivery.data) == {"lemniscus.de"}
    assert not arrived.values(delivery.data, "X-SPFrom")


def test_signature_of_an_author_who_was_replaced(chain, keys, far_end):
    """It could not pass any more: it goes, and OpenDKIM's takes its place."""
    data = _signed(keys["praxis-ohne.de"], message(f"From: {OHNE}"))
    delivery = chain("spfrom", "signer").send(OHNE, data)
    assert len(arrived.values(delivery.data, "DKIM-Signature")) == 1
    assert far_end.passing(delivery.data) == {"lemniscus.de"}


def test_signer_before_us_breaks(chain, far_end):
    """What the manual warns of: the signature covers a From: that is gone."""
    wrong = chain("signer", "spfrom")
    assert not far_end.passing(wrong.send(OHNE, message(f"From: {OHNE}")).data)
    assert far_end.passing(wrong.send(MUELLER, message(f"From: {MUELLER}")).data) == {"lemniscus.de"}


@pytest.mark.parametrize("domain, record, kept", CONSENT, ids=[row[0] for row in CONSENT])
def test_dkim_consent(chain, keys, milters, domain, record, kept):
    """A domain with our key and no SPF keeps its From:, signed as itself; its address is no envelope."""
    author = f"anna@{domain}"
    delivery = chain("spfrom-consent", "author-signer").send(author, message(f"From: Praxis <{author}>"))
    ours = keys["lemniscus.de"]
    published = [SimpleNamespace(name=f"test._domainkey.{name}", record=ours.record) for name in (domain, ours.domain)]
    assert delivery.sender == FALLBACK
    assert arrived.mailboxes(delivery.data, "From") == [("Praxis", author if kept else FALLBACK)]
    assert _FarEnd(published).passing(delivery.data) == {domain if kept else ours.domain}
    assert bool(arrived.values(delivery.data, "X-SPFrom")) is not kept


FORGED = f"Authentication-Results: {AUTHSERV_ID}; dkim=pass header.d=praxis-ohne.de"
# name, who signs, what becomes of it on the way, fields on top, is the author kept?
EXEMPT = [
    ("author-signs", "praxis-ohne.de", None, [], True),
    ("broken", "praxis-ohne.de", _broken, [], False),
    ("other-domain-signs", "lemniscus.de", None, [], False),
    ("unsigned", None, None, [], False),
    ("forged-result", None, None, [FORGED], False),
    ("forged-result-broken", "praxis-ohne.de", _broken, [FORGED], False),
]


@pytest.mark.parametrize("name, signer, change, fields, kept", EXEMPT, ids=[row[0] for row in EXEMPT])
def test_exempt_dkim(chain, keys, far_end, name, signer, change, fields, kept):
    """OpenDKIM verifies ahead of us: an author whose own signature passes stays, and so does the signature."""
    data = message(*fields, f"From: Praxis <{OHNE}>")
    data = data if signer is None else _signed(keys[signer], data)
    delivery = chain("verifier", "spfrom-exempt").send(OHNE, data if change is None else change(data))
    assert delivery.sender == (OHNE if kept else FALLBACK)
    assert arrived.mailboxes(delivery.data, "From") == [("Praxis", OHNE if kept else FALLBACK)]
    assert far_end.passing(delivery.data) == ({signer} if kept else set())


# In praxis-ohne.de's name, but its owner made neither.
CLAIM = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=praxis-ohne.de; s=test; h=from; bh=QUJD; b=QUJDREVGR0hJ"
SAME_B = "DKIM-Signature: v=1; a=rsa-sha256; d=praxis-ohne.de; s=test; h=from; bh=QUJD; b={b}"
# What OpenDKIM decodes to a domain, to a result, and to one that is well-formed with what follows.
DOMAIN = "header.d=3Dpraxis-ohne.de"
RESULT = f"x=3B=20dkim=3Dpass=20{DOMAIN}"
WHOLE_RESULT = f"{RESULT}=20header.q=3Dy@{EVIL}"
# name, i= of a signature of EVIL's that passes, more tags of it, fields on top
SMUGGLED = [
    ("two-domains", f"x=20{DOMAIN}=20y@{EVIL}", "", [CLAIM]),
    ("two-domains-well-formed", f"x=20{DOMAIN}=20header.q=3Dy@{EVIL}", "", [CLAIM]),
    ("second-result", f"{RESULT}=20y@{EVIL}", "", [CLAIM]),
    ("second-result-well-formed", WHOLE_RESULT, "", [CLAIM]),
    ("second-result-with-b", f"{RESULT}=20header.b=3DQUJDREVG=20header.q=3D@{EVIL}", "", [CLAIM]),
    ("second-result-with-wrong-b", f"{RESULT}=20header.b=3DZZZZ=20header.q=3D@{EVIL}", "", [CLAIM]),
    ("second-result-no-claim", WHOLE_RESULT, "", []),
    ("second-result-in-lower-case", WHOLE_RESULT.replace("=3B", "=3b"), "", [CLAIM]),
    ("line-feed", f"x=3B=0Adkim=3Dpass=0A=09{DOMAIN}=0Aheader.q=3Dy@{EVIL}", "", [CLAIM]),
    ("comment", f"x=28=3B=29=3Bdkim=3Dpass=28=29{DOMAIN}=28=29header.q=3Dy@{EVIL}", "", [CLAIM]),
    ("quotes", f"x=22=22=3Bdkim=3Dpass=20header.d=3D=22praxis-ohne.de=22=20header.q=3D=22=22y@{EVIL}", "", [CLAIM]),
    ("open-comment", f"x=3Bdkim=3Dpass=20{DOMAIN}=28@{EVIL}", "", [CLAIM]),
    ("folded", WHOLE_RESULT.replace("=20", "=20\r\n\t"), "", [CLAIM]),
    ("folded-in-an-octet", WHOLE_RESULT.replace("=3", "=3\r\n\t").replace("=20", "=\r\n\t20"), "", [CLAIM]),
    ("two-claims", WHOLE_RESULT, "", [CLAIM, CLAIM]),
    ("only-a-claim", f"@{EVIL}", "", [CLAIM]),
    ("claim-with-the-same-b", f"@{EVIL}", "", [SAME_B]),
    ("second-i", f"@{EVIL}", f"; i={WHOLE_RESULT}", [CLAIM]),
    ("first-i", WHOLE_RESULT, f"; i=@{EVIL}", [CLAIM]),
    ("second-d", f"@{EVIL}", "; d=praxis-ohne.de", [CLAIM]),
    ("second-d-with-blank", f"@{EVIL}", f"; d={EVIL} header.d=praxis-ohne.de", [CLAIM]),
    ("encoded-d", f"@{EVIL}", f"; d={EVIL}=20{DOMAIN}", [CLAIM]),
    ("second-s", f"@{EVIL}", "; s=test header.d=praxis-ohne.de", [CLAIM]),
    ("second-a", f"@{EVIL}", "; a=rsa-sha256 header.d=praxis-ohne.de", [CLAIM]),
]
# OpenDKIM does not pass these: an octet in lower case, or it takes the last of two tags.
REFUSED = {"second-result-in-lower-case", "second-d", "second-d-with-blank", "encoded-d", "second-s", "second-a"}


@pytest.mark.parametrize("name, identity, tags, fields", SMUGGLED, ids=[row[0] for row in SMUGGLED])
def test_exempt_dkim_smuggled(chain, keys, name, identity, tags, fields):
    """What OpenDKIM writes down for a signature of a stranger's vouches for nobody but the stranger."""
    data = _signed(keys[EVIL], message(f"From: Praxis <{OHNE}>"), identity, tags)
    first_b = re.search(rb"[; ]b=\s*([^;\r]+)", data).group(1).decode()
    data = "".join(field.format(b=first_b) + "\r\n" for field in fields).encode() + data
    delivery = chain("verifier", "spfrom-exempt").send(OHNE, data)
    if name not in REFUSED:
        assert any("dkim=pass" in value for value in _results(delivery.data))
    assert delivery.sender == FALLBACK
    assert arrived.mailboxes(delivery.data, "From") == [("Praxis", FALLBACK)]


# name, who signs (the last one on top), i= of the author's, the author is kept
SEVERAL = [
    ("i-plain", ["praxis-ohne.de"], "x+y=2Cz@praxis-ohne.de", True),
    ("other-below", [EVIL, "praxis-ohne.de"], None, True),
    ("other-on-top", ["praxis-ohne.de", EVIL], None, True),
    ("own-twice", ["praxis-ohne.de", "praxis-ohne.de"], None, True),
    ("i-blank", ["praxis-ohne.de"], "x=20y@praxis-ohne.de", False),
]


@pytest.mark.parametrize("name, signers, identity, kept", SEVERAL, ids=[row[0] for row in SEVERAL])
def test_exempt_dkim_several(chain, keys, name, signers, identity, kept):
    data = message(f"From: Praxis <{OHNE}>")
    for signer in signers:
        data = _signed(keys[signer], data, identity if signer != EVIL else None)
    delivery = chain("verifier", "spfrom-exempt").send(OHNE, data)
    assert delivery.sender == (OHNE if kept else FALLBACK)


def _results(data):
    """The values of our MTA's Authentication-Results: fields."""
    return [value for value in arrived.values(data, "Authentication-Results") if value.startswith(AUTHSERV_ID)]


@pytest.mark.parametrize("author, kept", [("info@klinik-nord.de", True), (OHNE, False)])
def test_verifiers_ahead_of_us(chain, far_end, author, kept):
    """All at once: what OpenDKIM and OpenDMARC found stands in the message, we decide as alone, OpenDKIM signs."""
    delivery = chain("verifier", "opendmarc", "spfrom", "signer").send(author, message(f"From: Praxis <{author}>"))
    methods = " ".join(_results(delivery.data))
    assert "dmarc=" in methods and f"header.from={author.partition('@')[2]}" in methods
    assert arrived.mailboxes(delivery.data, "From") == [("Praxis", author if kept else FALLBACK)]
    assert delivery.sender == (author if kept else FALLBACK)
    assert far_end.passing(delivery.data) == {"lemniscus.de"}


@pytest.mark.parametrize("author, kept", [("info@klinik-nord.de", True), (OHNE, False)])
def test_rspamd_ahead_of_us(chain, far_end, author, kept):
    """What rspamd writes stands in the message beside what we write, and OpenDKIM signs both."""
    delivery = chain("rspamd", "spfrom", "signer").send(author, message(f"From: Praxis <{author}>"))
    assert "SEEN" in arrived.values(delivery.data, "X-Spamd-Result")[0]
    assert arrived.mailboxes(delivery.data, "From") == [("Praxis", author if kept else FALLBACK)]
    assert delivery.sender == (author if kept else FALLBACK)
    assert far_end.passing(delivery.data) == {"lemniscus.de"}
