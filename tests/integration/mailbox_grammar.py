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
