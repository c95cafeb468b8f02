"""The DNS of the tests and of the demo: who authorises the relay 192.0.2.25, and who does not."""

RELAY = "192.0.2.25"
FALLBACK = "noreply@lemniscus.de"

# Complete names, as nsd and the daemon's zone file both read them.
RECORDS = """\
; ours
lemniscus.de.              TXT  "v=spf1 ip4:192.0.2.25 -all"
mail.lemniscus.de.         TXT  "v=spf1 ip4:192.0.2.25 -all"
relay.lemniscus.de.        A    192.0.2.25
; they authorise our relay
praxis-mueller.de.         TXT  "v=spf1 include:lemniscus.de ~all"
praxis-mueller.de.         TXT  "some-site-verification=42"
klinik-nord.de.            TXT  "v=spf1 ip4:192.0.2.25 -all"
_dmarc.klinik-nord.de.     TXT  "v=DMARC1; p=reject"
versand.example.           TXT  "v=spf1 a:relay.lemniscus.de -all"
xn--praxis-mller-klb.de.   TXT  "v=spf1 include:lemniscus.de -all"
makros.example.            TXT  "v=spf1 exists:%{l}.erlaubt.makros.example -all"
anna.erlaubt.makros.example. A  127.0.0.2
; they don't: none, fail, softfail, neutral, permerror
praxis-ohne.de.            A    203.0.113.80
gmx.de.                    TXT  "v=spf1 ip4:213.165.64.0/23 -all"
web.de.                    TXT  "v=spf1 ip4:82.165.159.0/26 -all"
gmail.com.                 TXT  "v=spf1 redirect=_spf.google.com"
_spf.google.com.           TXT  "v=spf1 ip4:209.85.128.0/17 ~all"
praxis-neutral.de.         TXT  "v=spf1 ?all"
praxis-doppelt.de.         TXT  "v=spf1 include:lemniscus.de -all"
praxis-doppelt.de.         TXT  "v=spf1 -all"
"""

# The zone file can say that DNS has trouble with a name; nsd has the zone broken.example for that.
ZONE_FILE = "$TTL 300\n" + RECORDS + 'praxis-langsam.de. TROUBLE "no answer"\n'
