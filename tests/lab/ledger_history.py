"""Weeks of mail in a ledger, as the daemon would have written them (milter/ledger/ledger.h)."""

import datetime
import random
import sqlite3

NONE, NEUTRAL, PASS, FAIL, SOFTFAIL, TEMPERROR, PERMERROR = range(7)
KEEP, REWRITE, WOULD_REWRITE, TEMPFAIL = range(4)

# domain, messages on a usual day, its result, and the days before today since which it passes, if it does; a negative
# number: since which it does not pass any more
DOMAINS = [
    ("gmx.de", 420, FAIL, None), ("web.de", 380, FAIL, None), ("gmail.com", 510, SOFTFAIL, None),
    ("praxis-mueller.de", 60, SOFTFAIL, 9), ("klinik-nord.de", 240, NONE, 21), ("praxis-ohne.de", 35, NONE, None),
    ("praxis-neutral.de", 18, NEUTRAL, None), ("praxis-doppelt.de", 22, PERMERROR, None),
    ("versand.example", 90, PASS, 400), ("lemniscus.de", 1300, PASS, 400), ("praxis-langsam.de", 3, TEMPERROR, None),
    ("psychotherapie-gemeinschaftspraxis-am-alten-rathausmarkt.example", 44, NONE, None),
    ("xn--praxis-mller-klb.de", 28, FAIL, 3),
]
BROKEN = [("praxis-am-see.de", 25, SOFTFAIL, -5)]


def _times(days_ago):
    """A day's number in the ledger, and milliseconds in the middle of it."""
    noon = datetime.datetime.combine(datetime.date.today() - datetime.timedelta(days=days_ago), datetime.time(12))
    return (noon.date() - datetime.date(1970, 1, 1)).days, int(noon.timestamp() * 1000)


def _rows(days, seed):
    """(domain, day, result, action, messages, time) of each day, the oldest first."""
    chance = random.Random(seed)
    for ago in range(days - 1, -1, -1):
        day, time = _times(ago)
        weekend = datetime.date.fromordinal(datetime.date(1970, 1, 1).toordinal() + day).weekday() >= 5
        for name, usual, result, since in DOMAINS + BROKEN:
            messages = int(usual * chance.uniform(0.7, 1.3) * (0.15 if weekend else 1))
            passes = since is not None and (ago < since if since >= 0 else ago >= -since)
            action = KEEP if passes or result == PASS else REWRITE if ago < days * 2 // 3 else WOULD_REWRITE
            if messages:
                yield name, day, PASS if passes else result, action, messages, time


def write(file, days=60, seed=1):
    """Adds such days to the ledger in file, which a daemon has made. Returns the messages written."""
    with sqlite3.connect(file) as ledger:
        total = 0
        for name, day, result, action, messages, time in _rows(days, seed):
            ledger.execute("INSERT INTO domains (name, first, last) VALUES (?, ?, ?) "
                           "ON CONFLICT (name) DO UPDATE SET last = excluded.last", (name, time, time))
            column = {PASS: "authorised_last", TEMPERROR: None}.get(result, "unauthorised_last")
            if result == PASS:
                ledger.execute("UPDATE domains SET authorised_since = ? WHERE name = ? AND (authorised_since IS NULL "
                               "OR authorised_since < ifnull(unauthorised_last, 0))", (time, name))
            if column == "unauthorised_last":
                ledger.execute("UPDATE domains SET unauthorised_since = ? WHERE name = ? AND (unauthorised_since IS NULL "
                               "OR unauthorised_since < ifnull(authorised_last, 0))", (time, name))
            if column:
                ledger.execute(f"UPDATE domains SET {column} = ? WHERE name = ?", (time, name))
            ledger.execute("INSERT INTO seen SELECT ?, id, ?, ?, ?, ?, ? FROM domains WHERE name = ?",
                           (day, result, action, messages, time, time, name))
            total += messages
    ledger.close()
    return total


def write_domains(file, count):
    """Adds count domains without a record, each with one message of today."""
    day, time = _times(0)
    with sqlite3.connect(file) as ledger:
        ledger.executemany("INSERT INTO domains (name, first, last, unauthorised_last) VALUES (?, ?, ?, ?)",
                           ((f"d{number}.many.example", time, time, time) for number in range(count)))
        ledger.execute("INSERT INTO seen SELECT ?, id, ?, ?, 1, ?, ? FROM domains WHERE name LIKE '%.many.example'",
                       (day, NONE, REWRITE, time, time))
    ledger.close()


# A letter of each outcome: domain, address, kind, state (letter_rows.h), the days ago it was sent, and whether it came back.
LETTERS = [
    ("praxis-mueller.de", "anna.mueller@praxis-mueller.de", 2, 1, 8, False),
    ("praxis-mueller.de", "anna.mueller@praxis-mueller.de", 0, 1, 21, False),
    ("klinik-nord.de", "sekretariat@klinik-nord.de", 0, 1, 25, False), ("gmx.de", "therapeut@gmx.de", 1, 1, 12, False),
    ("praxis-ohne.de", "neu@praxis-ohne.de", 0, 1, 3, False), ("praxis-neutral.de", "stumm@praxis-neutral.de", 0, 1, 5, True),
    ("xn--praxis-mller-klb.de", "praxis@xn--praxis-mller-klb.de", 0, 0, 2, False),
    ("psychotherapie-gemeinschaftspraxis-am-alten-rathausmarkt.example",
     "anmeldung@psychotherapie-gemeinschaftspraxis-am-alten-rathausmarkt.example", 0, 2, 1, False),
]


def write_letters(file):
    """Makes letters.db, as `spfrom letters --send` would have left it (milter/returns/letter_rows.c)."""
    with sqlite3.connect(file) as letters:
        letters.executescript("""
            CREATE TABLE letters (token TEXT PRIMARY KEY, domain TEXT NOT NULL, address TEXT NOT NULL, kind INTEGER NOT NULL,
                                  state INTEGER NOT NULL, noted INTEGER NOT NULL, bounced INTEGER NOT NULL) WITHOUT ROWID;
            CREATE INDEX letters_by_domain ON letters (domain, noted);
            CREATE INDEX letters_by_address ON letters (address);
            CREATE INDEX letters_by_time ON letters (noted);
            PRAGMA application_id = 0x7370626c; PRAGMA user_version = 1; PRAGMA journal_mode = WAL""")
        for number, (domain, address, kind, state, ago, came_back) in enumerate(LETTERS):
            noted = _times(ago)[1] * 1000
            letters.execute("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?)",
                            (f"letter{number:010}", domain, address, kind, state, noted, noted + 1 if came_back else 0))
    letters.close()


# A change of each kind: domain, kind (watch_rows.h), whether it is authorised, its result, danger, number, the records before and after,
# the term, what passed before, what is to be published, and the days ago.
CHANGES = [
    ("lemniscus.de", 0, False, FAIL, 0, 0, "v=spf1 ip4:192.0.2.25 -all", "v=spf1 ip4:192.0.2.99 -all", "-all", "ip4:192.0.2.25",
     "v=spf1 ip4:192.0.2.99 ip4:192.0.2.25 -all", 0),
    ("praxis-am-see.de", 1, False, SOFTFAIL, 0, 0, "v=spf1 include:_spf.lemniscus.de mx ~all", "v=spf1 mx ~all", "~all",
     "include:_spf.lemniscus.de", "v=spf1 mx ip4:192.0.2.25 ~all", 5),
    ("psychotherapie-gemeinschaftspraxis-am-alten-rathausmarkt.example", 1, False, NONE, 0, 0,
     "v=spf1 include:psychotherapie-gemeinschaftspraxis-am-alten-rathausmarkt.hoster.example ip4:192.0.2.25 -all", None, None,
     "ip4:192.0.2.25", "v=spf1 ip4:192.0.2.25 ~all", 6),
    ("versand.example", 2, True, PASS, 1, 9, None, "v=spf1 include:a.example ~all", None, None, None, 6),
    ("klinik-nord.de", 2, True, PASS, 4, 0, None, "v=spf1 include:weg.example ~all", "include:weg.example", None, None, 7),
    ("xn--praxis-mller-klb.de", 3, True, PASS, 0, 0, None, "v=spf1 ip4:192.0.2.25 -all", "ip4:192.0.2.25", None, None, 3),
    ("lemniscus.de", 0, True, PASS, 0, 0, None, "v=spf1 ip4:192.0.2.25 -all", "ip4:192.0.2.25", None, None, 30),
]


def write_changes(file):
    """Adds runs and changes to watch.db, which `spfrom watch` has made."""
    with sqlite3.connect(file, timeout=20) as watch:
        watch.execute("DELETE FROM changes")
        for domain, kind, authorised, result, danger, number, before, after, term, passed, advised, ago in CHANGES:
            watch.execute("INSERT INTO changes (found, is_told, domain, kind, is_authorised, result, danger, number, before, after, term,"
                          " passed, advised) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                          (_times(ago)[1] * 1000, domain, kind, authorised, result, danger, number, before, after, term, passed, advised))
            watch.execute("INSERT OR REPLACE INTO domains (name, is_authorised, result, dangers, lookups, octets, run)"
                          " VALUES (?, ?, ?, 0, 0, 0, 1)", (domain, authorised, result))
        watch.execute("UPDATE runs SET authorised = 1234, unauthorised = 87, unknown = 3, endangered = 2, own_unauthorised = 1")
    watch.close()
