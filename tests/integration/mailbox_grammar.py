"""Mailboxes by the grammar of RFC 5322, obsolete forms included, each with what it means."""

import base64
import quopri

WORDS = ("Praxis", "Erika", "Dr.", "Müller-Lüdenscheidt", "Weiß", "Zoë", "Ана", "山田", "O'Hara", "x", "Jr", "🙂")
LOCALS = ("erika", "e.mustermann", "praxis+rechnung", "o'hara", "a_b", "x")
DOMAINS = ("praxis.example", "Mail.Praxis.Example", "a.b.c.example", "praxis-süd.example")


class Grammar:
    """Makes From: values with random, the source of chance: (octets, [(name, address)], is_plain)."""

    def __init__(self, random):
        self._random = random

    def _one(self, *choices):
        return self._random.choice(choices)

    def _comment(self, depth=0):
        inner = "".join(self._one("a", " ", "\\)", "b@c", ",", self._comment(depth + 1) if depth < 3 else "z")
                        for _ in range(self._random.randrange(4)))
        return f"({inner})"

    def _cfws(self, is_obsolete):
        if not is_obsolete:
            return ""
        return self._one("", "", " ", "\r\n ", self._comment(), f" {self._comment()} ", f"\r\n\t{self._comment()}\r\n ")

    def _encoded(self, word):
        if self._random.random() < 0.5:
            return f"=?utf-8?B?{base64.b64encode(word.encode()).decode()}?="
        coded = quopri.encodestring(word.encode(), quotetabs=True, header=True).decode().replace("=\n", "").replace("?", "=3F")
        return f"=?UTF-8?q?{coded}?="

    def _phrase(self, words):
        """The words as a phrase: atoms, one quoted string, or encoded words."""
        text = " ".join(words)
        if text.isascii():
            if self._random.random() < 0.5 and "." not in text:
                return " ".join(words)
            return '"' + text + '"'
        return "\r\n ".join(self._encoded(word if number == 0 else " " + word) for number, word in enumerate(words))

    def _local(self, is_obsolete):
        local = self._one(*LOCALS)
        if is_obsolete and self._random.random() < 0.3:
            return f'"{local}"', local
        if is_obsolete and "." in local and self._random.random() < 0.3:
            return local.replace(".", self._cfws(True) + "." + self._cfws(True)), local
        return local, local

    def _mailbox(self, is_obsolete):
        words = [self._one(*WORDS) for _ in range(self._random.randrange(4))]
        written, local = self._local(is_obsolete)
        domain = self._one(*DOMAINS)
        name = " ".join(words)
        ascii_domain = domain.encode("idna").decode().lower()
        gap = self._cfws(is_obsolete)
        address = f"{written}{gap}@{self._cfws(is_obsolete)}{domain}"
        if not words and not is_obsolete:
            return address, (None, f"{local}@{ascii_domain}")
        route = "@relay.example,@other.example:" if is_obsolete and self._random.random() < 0.1 else ""
        phrase = self._phrase(words) if words else ""
        return (f"{self._cfws(is_obsolete)}{phrase} <{self._cfws(is_obsolete)}{route}{address}{self._cfws(is_obsolete)}>"
                f"{self._cfws(is_obsolete)}", (name or None, f"{local}@{ascii_domain}"))

    def value(self):
        """Plain values must be read as they are meant; of the others, a reader may also say that it is in doubt."""
        is_obsolete = self._random.random() < 0.5
        pairs = [self._mailbox(is_obsolete) for _ in range(self._one(1, 1, 1, 2, 3))]
        text = ",\r\n ".join(written for written, _ in pairs)
        is_group = is_obsolete and self._random.random() < 0.15
        if is_group:
            text = f"Praxis: {text};"
        return text.encode(), [meant for _, meant in pairs], not is_obsolete


DAMAGED_LOCALS = ("erika", "e.muster", "a..b", "a.", ".a", "praxis+x", "Erika", '"e m"', '"a@mail.example"', "a%b", "a!b", "o'hara", "a=b",
                  "jörg", "=?utf-8?q?a?=", '"a..b"', '"e.m"', "e m", "e/m", '"a\\"b"', '"<a>"')
DAMAGED_NAMES = ("", "Erika", "Erika Muster", "Dr. Muster", '"Muster, Erika"', "Muster, Erika", "M&uuml;ller", "Müller", "Praxis; Nord",
                 "'Erika'", "Erika@Home", '"Erika (Praxis)"', "Erika (Praxis (Nord))", "=?utf-8?q?Praxis_M=C3=BCller?=",
                 "=?iso-8859-1?q?M=FCller?=", '"=?utf-8?q?Muster=2C_E.?="', "Praxis: Nord", '"Erika \\"E\\" Muster"', "Erika [Praxis]",
                 '"Erika\r\n Muster"', '"Erika', 'Erika"', "Erika\\", '"\\\\"', "(Erika)", "()", '""', "E.", ".", "Erika >", "< Erika",
                 '"{other}"', '"x <{other}>"', '"{other}\r\n x"', '"x\r\n {other}"', '"x <{other}>\r\n y"', "{other}", "({other})", "'{other}'",
                 "{own}", '"{own}"', "'{own}'", "=?utf-8?q?{quoted}?=", "A,B", "A;B", "Erika,", "山田", "🙂 Praxis")
DAMAGED_SHAPES = ("{name} <{own}>", "{name} <{own}>", "{name} <{own}>", "{name} <{own}>", "{name} <{own}>", "{name} <{own}", "{own}",
                  "{own} <{own}>", "{own} <{other}>", "{name} ({own})", "{name} {own}", "{own} ({name})", "{own} {name}", "({name}) {own}",
                  "({name} ({name})) {own}", "{own} ({name} ({name}))", "{name} <{own}> ({name})", "{name} <{own}> {name}", "{own},", ",{own}",
                  "{own},,{other}", "{own};", "{name} <{own}>,", "{name} <{own}>;", "{own}, {other}", "{own} {other}", "{own}\r\n {other}",
                  "<{own}> <{other}>", "<<{own}>>", "{name} <<{own}>>", "{name} <mailto:{own}>", "mailto:{own}", "{name} [{own}]",
                  "{name}: {own};", "{name}: {name} <{own}>", "{name}: {own}, {other};", "{name}:;", "{name} <{own}> <{own}>",
                  "{name} <@relay.example:{own}>", "{name} < {own} >", "{name}<{own}>", "{name} <{own}>.", "{name} <{own}>, {name} <{own}>",
                  "{name} <{own}>, {name} <{other}>", "=?utf-8?q?{quoted}?=", "=?utf-8?q?{quoted}?= <{own}>", "{name} <{own}>\r\n\t({name})",
                  "{name}", "<>", "{name} <>", "<{own}>", "{own} {own}", "{name} - {own}", "{name} \"{own}\"", "\"{name} <{own}>\"",
                  "{name} <{own}@>", "{name} <{own}@mail.example>", "{name} <{own} >", "{name}\r\n <{own}>", "{long} <{own}>")
DOMAIN_SHAPES = ("{0}", "{0}", "{0}", "{0}", "{0}", "{0}", "{0}", "{0}.", "{0}。mail.example", "{0}\u00ad", "{0}\u200b", "{0}/x", "[192.0.2.1]", "{0}:25",
                 "{0} .example", "{0}..", "(x){0}", "{0}(x)", "{0}(x@mail.example)", " {0}", "{0}>", "{0}@mail.example", "{0}\\")
_SPECIALS = "<>()[]@,;:\\\". '=?\t\u3002"


class Damage:
    """What senders that know no grammar write, and what attackers do: octets that may mean anything."""

    def __init__(self, random, domains):
        self._random, self._domains = random, domains

    def _address(self):
        domain = self._random.choice(self._domains)
        if self._random.random() < 0.1:
            domain = "".join(chr(ord(c) + 0xfee0) if c == "e" else c for c in domain)
        shape = self._random.choice(DOMAIN_SHAPES) if self._random.random() < 0.5 else "{0}"
        local = self._random.choice(DAMAGED_LOCALS) if self._random.random() < 0.5 else "erika"
        return f"{local}@{shape.format(domain)}"

    def _broken(self, text):
        """text with one character more, less, or another."""
        at = self._random.randrange(len(text) + 1)
        return text[:at] + self._random.choice(("", self._random.choice(_SPECIALS))) + text[at + self._random.randrange(2):]

    def value(self):
        own, other = self._address(), self._address()
        quoted = f"Erika <{own}>".replace(" ", "_").replace("@", "=40").replace("<", "=3C").replace(">", "=3E")
        words = {"own": own, "other": other, "quoted": quoted, "long": "Praxis " * self._random.choice((12, 60, 150))}

        def name():
            text = self._random.choice(DAMAGED_NAMES)
            for key, word in words.items():
                text = text.replace("{" + key + "}", word)
            return text

        text = self._random.choice(DAMAGED_SHAPES)
        for key, word in words.items():
            text = text.replace("{" + key + "}", word)
        while "{name}" in text:
            text = text.replace("{name}", name(), 1)
        for _ in range(self._random.choice((0, 0, 0, 1, 2))):
            text = self._broken(text)
        return text.encode("utf-8").strip(b" \t\r\n")
