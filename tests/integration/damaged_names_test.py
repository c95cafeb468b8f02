"""Names that came damaged, or under labels that only browsers know: what most readers show of a name is in each field that is
written, and labels are read as a browser's TextDecoder reads them."""

import base64
import email.header
import email.policy
import email.utils
import functools
import json
import re
import resource
import shutil
import subprocess

import pytest

from lab import paths
from lab.cases import OHNE
from lab.compiled import CompileError, compile_c
from lab.spfrom import configuration
from lab.zone import FALLBACK, RELAY, ZONE_FILE

FIELDS = ("From", "Reply-To", "Author", "X-Original-From")
_HERE = paths.SRCDIR / "tests/integration"

# What stands before the address, as octets, and the part of it that tells whether a reader shows the name.
NAMES = {
    "cut-in-the-middle": (b"=?UTF-8?Q?Praxisgemeinschaft_f=C3=BCr_Psychotherapie_und_Psychosomatik_M=C3=BCnche?= "
                          b"=?UTF-8?Q?n_S=C3?=", "Praxisgemeinschaft"),
    "long-word-cut": (b"=?UTF-8?B?" + base64.b64encode("Gemeinschaftspraxis Dr. Müller und Dr. Größe, Fachärztä".encode()[:-1])
                      + b"?=", "Gemeinschaftspraxis"),
    "latin1-as-utf8": (b"=?utf-8?Q?Gemeinschaftspraxis_f=FCr_Psychotherapie_und_Psychosomatik_M=FCller-L=FCdenscheid?=",
                       "Gemeinschaftspraxis"),
    "utf8-as-ascii": (b"=?us-ascii?Q?M=C3=BCller?=", "Müller"),
    "latin1-as-ascii": (b"=?us-ascii?Q?M=FCller?=", "ller"),
    "split-character": (b"=?utf-8?B?TcO?= =?utf-8?B?vGxsZXI=?=", "ller"),
    "blank-in-base64": (b"=?utf-8?B?UHJheGlzIE3D vGxsZXI=?=", "Praxis"),
    "fold-in-base64": (b"=?utf-8?B?UHJheGlzIE3D\r\n vGxsZXI=?=", "Praxis"),
    "no-padding": (b"=?utf-8?B?UHJheGlzIE3DvGxsZXI?=", "Praxis"),
    "blank-in-q": (b"=?utf-8?Q?Praxis M=C3=BCller?=", "Praxis"),
    "q-without-digits": (b"=?utf-8?Q?Praxis_100=_M=C3=BCller?=", "Praxis"),
    "raw-latin1-in-a-word": (b"=?iso-8859-1?Q?Praxis_M\xfcller?=", "Praxis"),
    "raw-utf8-in-a-word": (b"=?utf-8?Q?Praxis_M\xc3\xbcller?=", "Praxis"),
    "raw-utf8-cut": ("Praxis Größe, ".encode().replace(b",", b"") + b"M\xc3", "Praxis"),
    "raw-latin1": (b"Praxis M\xfcller", "Praxis"),
    "ks_c_5601-1987": (b"=?ks_c_5601-1987?B?sei/tcij?=", "김영호"),
    "euc-kr-with-cp949": (b"=?euc-kr?B?jGO/tcij?=", "영호"),
    "x-sjis": (b"=?x-sjis?B?jlKTYw==?=", "山田"),
    "shift_jis-with-vendors": (b"=?shift_jis?B?h0COUpNj?=", "山田"),
    "gbk-as-gb2312": (b"=?gb2312?B?1cWWfKGr?=", "张"),
    "iso-8859-8-i": (b"=?iso-8859-8-i?Q?=F9=EC=E5=ED?=", "שלום"),
    "iso-2022-jp-with-vendors": (b"=?ISO-2022-JP?B?GyRCfGI7M0VEGyhC?=", "山田"),
    "iso-2022-jp-cut": (b"=?ISO-2022-JP?B?GyRCOzNFRE8=?=", "山田"),
    "unknown-8bit": (b"=?unknown-8bit?Q?Praxis_M=FCller?=", "Praxis"),
    "cp1252": (b"=?cp1252?Q?Praxis_=84Nord=93?=", "Praxis"),
    "invalid-in-gb2312": (b"=?gb2312?Q?Praxis_=FF_=D5=C5?=", "Praxis"),
    "long-unknown": (b"=?x-unknown?Q?" + b"Praxis_" * 12 + b"?=", "Praxis"),
}


def _folded(name):
    return b"From: " + name + b" <" + OHNE.encode() + b">\r\nTo: x@example.net\r\n\r\nGuten Tag\r\n"


@pytest.fixture(scope="module")
def rewrite(tmp_path_factory):
    """Returns the fields that spfrom test writes for a name, decoded."""
    directory = tmp_path_factory.mktemp("names")
    (directory / "zone").write_text(ZONE_FILE)
    file = directory / "spfrom.conf"
    file.write_text(configuration({"fallback_address": FALLBACK, "relay_hosts": [RELAY], "hostname": "relay.lemniscus.de",
                                   "dns_zone_file": directory / "zone"}))

    def run(name):
        done = subprocess.run([paths.TOOL, "-c", file, "test"], input=_folded(name), capture_output=True)
        header = done.stdout.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        assert header.isascii(), header
        message = email.message_from_bytes(header + b"\n\n")
        return {field: _by_decode_header(message[field].encode()) for field in FIELDS}
    return run


# --- Other readers ---------------------------------------------------------------------------------------------------

def _by_decode_header(name):
    text = re.sub(r"\r?\n", "", name.decode("utf-8", "surrogateescape"))
    parts = email.header.decode_header(text)
    return "".join(part if isinstance(part, str) else
                   part.decode("latin-1" if charset in (None, "unknown-8bit") else charset, "replace")
                   for part, charset in parts)


def _by_policy(name):
    return str(email.message_from_bytes(_folded(name), policy=email.policy.default)["From"].addresses[0].display_name)


def _by_perl(name):
    program = "binmode STDOUT, ':utf8'; print decode('MIME-Header', do { local $/; <STDIN> })"
    done = subprocess.run(["perl", "-MEncode", "-e", program], input=name, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


@functools.cache
def _gmime():
    return compile_c(_HERE / "gmime_read.c", paths.UNPACKED / "gmime_read", packages=("gmime-3.0", "jansson"))


def _by_gmime(name):
    done = subprocess.run([_gmime()], input=_folded(name), capture_output=True, check=True)
    return json.loads(done.stdout)["From"][0][0]


def _shown_by(readers, name):
    shown = {}
    for reader in readers:
        try:
            shown[reader.__name__] = reader(name)
        except (LookupError, ValueError, IndexError, TypeError, email.errors.HeaderParseError, subprocess.CalledProcessError):
            shown[reader.__name__] = ""
    return shown


@pytest.fixture(scope="module")
def readers():
    """Those that are there."""
    found = [_by_decode_header, _by_policy]
    if shutil.which("perl"):
        found.append(_by_perl)
    try:
        _gmime()
        found.append(_by_gmime)
    except CompileError:
        pass
    return found


@pytest.mark.parametrize("case", NAMES)
def test_name_is_shown(rewrite, case):
    name, part = NAMES[case]
    fields = rewrite(name)
    assert all(part in fields[field] for field in FIELDS), fields


@pytest.mark.parametrize("case", NAMES)
def test_what_readers_agree_on_is_shown(rewrite, readers, case):
    """Each word of letters that more than half of the readers show, but for what stands behind something unreadable."""
    name, _ = NAMES[case]
    shown = _shown_by(readers, name)
    words = [set(re.findall(r"(?<![\ufffd\x80-\x9f\ud800-\udfff\w])[^\W\d_]{3,}", text)) for text in shown.values()]
    agreed = {word for each in words for word in each if 2 * sum(word in other for other in words) > len(words)}
    fields = rewrite(name)
    for word in agreed - {"utf", "unknown"}:
        assert all(word in fields[field].replace(" ", "") for field in FIELDS), (word, shown, fields)


# --- What a name may cost --------------------------------------------------------------------------------------------

def _seconds(rewrite, name):
    """CPU time of one rewrite."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    rewrite(name)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("words", [["UHC", "GBK"], ["UHC", "GBK", "BIG5", "EUC-JP", "ISO-2022-KR", "EUC-TW", "CP932", "JOHAB",
                                                    "GB18030", "BIG5-HKSCS"]], ids=len)
def test_many_charsets(rewrite, words):
    """64 KB that change the charset with each word cost hardly more than a short name."""
    lines = ["".join(f" =?{words[(line * 50 + i) % len(words)]}?Q?=FF?=" for i in range(50)) for line in range(75)]
    hostile = min(_seconds(rewrite, "\r\n".join(lines).encode()) for _ in range(3))
    plain = min(_seconds(rewrite, b"Praxis =?utf-8?Q?M=C3=BCller?=") for _ in range(3))
    assert hostile < plain * 10 + 0.2, (hostile, plain)


# --- Labels ----------------------------------------------------------------------------------------------------------

# The labels of the WHATWG encoding standard, section 4.2, but for those of "replacement" and x-user-defined.
LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "ibm866": "866 cp866 csibm866 ibm866",
    "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6": ("arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e "
        "iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"),
    "iso-8859-7": ("csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 "
        "iso_8859-7 iso_8859-7:1987 sun_eu_greek"),
    "iso-8859-8": ("csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 "
        "iso_8859-8 iso_8859-8:1988 visual"),
    "iso-8859-8-i": "csiso88598i iso-8859-8-i logical",
    "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "macintosh": "csmacintosh mac macintosh x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "windows-1250": "cp1250 windows-1250 x-cp1250",
    "windows-1251": "cp1251 windows-1251 x-cp1251",
    "windows-1252": ("ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
        "iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252"),
    "windows-1253": "cp1253 windows-1253 x-cp1253",
    "windows-1254": ("cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 "
        "latin5 windows-1254 x-cp1254"),
    "windows-1255": "cp1255 windows-1255 x-cp1255",
    "windows-1256": "cp1256 windows-1256 x-cp1256",
    "windows-1257": "cp1257 windows-1257 x-cp1257",
    "windows-1258": "cp1258 windows-1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gbk": "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "gb18030": "gb18030",
    "big5": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso-2022-jp": "csiso2022jp iso-2022-jp",
    "shift_jis": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "euc-kr": ("cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 "
        "windows-949"),
    "utf-16be": "unicodefffe utf-16be",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16le utf-16",
    "ArrayBufferView": "ArrayBuffer",
}
SAMPLES = {
    "utf-8": "Grüße 山", "gbk": "张三东", "gb18030": "张三东", "big5": "中文張", "euc-kr": "김영호", "shift_jis": "山田太郎ｱ",
    "euc-jp": "山田太郎", "iso-2022-jp": "山田太郎", "utf-16be": "Grüße", "utf-16le": "Grüße",
}
# Characters of the supersets. (That of euc-kr is missing in Node's ICU.)
_ODD = {"shift_jis": b"\x87\x40\xee\xe0", "gbk": b"\x96\x7c\x81\x40", "euc-jp": b"\xad\xa1",
        "iso-2022-jp": b" \x1b$B|b-!\x1b(B"}
_CODEC = {"shift_jis": "cp932"}


def _sample(encoding):
    if encoding in SAMPLES:
        return SAMPLES[encoding].encode(_CODEC.get(encoding, encoding)) + _ODD.get(encoding, b"")
    return bytes(range(0xd0, 0xd9)) + bytes(range(0xe0, 0xf0)) + bytes(range(0xf1, 0xfb))


def _by_browser(questions):
    program = """
        for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').filter(Boolean)) {
            const [label, octets] = JSON.parse(line);
            let text = null;  // Node's own table has labels that its ICU can't decode
            try { text = new TextDecoder(label).decode(Buffer.from(octets, 'base64')); } catch (error) { }
            console.log(JSON.stringify(text));
        }"""
    asked = "\n".join(json.dumps([label, base64.b64encode(octets).decode()]) for label, octets in questions)
    done = subprocess.run(["node", "-e", program], input=asked, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_labels_are_those_of_browsers(rewrite):
    questions = [(label, _sample(encoding)) for encoding, labels in LABELS.items() for label in labels.split()]
    assert len(questions) > 200
    differing, unknown = [], []
    for (label, octets), text in zip(questions, _by_browser(questions), strict=True):
        if text is None:
            unknown.append(label)
            continue
        word = f"=?{label}?B?{base64.b64encode(octets).decode()}?=".encode()
        name = email.utils.parseaddr(rewrite(word)["From"])[0]
        wanted = "".join(each for each in text if each.isprintable() or each == " ").strip()
        if name.strip() != wanted:
            differing.append((label, name, wanted))
    assert not differing, "\n".join(map(str, differing))
    assert len(unknown) < 12, unknown  # Node 18, which is Debian 12's, does not decode 11
