"""The ways in which mail comes to the MTA."""

import contextlib
import smtplib
import subprocess
import tempfile

OUTSIDE = {"ADDR": "203.0.113.7", "NAME": "mx.example.net"}
AUTHENTICATED = {"ADDR": "203.0.113.7", "NAME": "dsl.example.net", "LOGIN": "carol"}


@contextlib.contextmanager
def connection(port, xclient=None):
    """An SMTP connection; xclient says who Postfix is to believe that we are."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=60) as smtp:
        smtp.ehlo()
        if xclient:
            words = " ".join(f"{key}={value}" for key, value in xclient.items())
            code, text = smtp.docmd("XCLIENT", words)
            if code != 220:
                raise smtplib.SMTPResponseException(code, text)
            smtp.ehlo()
        yield smtp


def send_smtp(postfix, sender, recipient, message, parameters=(), xclient=None, port="smtp"):
    with connection(postfix.port(port), xclient) as smtp:
        smtp.sendmail(sender, [recipient], message, mail_options=list(parameters))


def send_swaks(postfix, sender, recipient, message):
    with tempfile.NamedTemporaryFile() as file:
        file.write(message.replace(b"\r\n", b"\n"))
        file.flush()
        subprocess.run(["swaks", "--silent", "2", "--server", "127.0.0.1", "--port", str(postfix.port()),
                        "--helo", "client.example", "--from", sender or "<>", "--to", recipient,
                        "--data", "@" + file.name], check=True, stdout=subprocess.DEVNULL)


def send_sendmail(postfix, sender, recipient, message):
    """sendmail -t takes the recipients from the message, so one that only the test knows goes into Bcc:."""
    message = b"Bcc: " + recipient.encode() + b"\n" + message.replace(b"\r\n", b"\n")
    result = postfix.sendmail(message, "-i", "-t", "-f", sender or "<>")
    assert result.returncode == 0, result.stderr


def send_smtp_source(postfix, sender, recipient, message):
    with tempfile.NamedTemporaryFile() as file:
        file.write(message.replace(b"\r\n", b"\n"))
        file.flush()
        result = postfix.command("smtp-source", "-4", "-M", "client.example", "-f", sender, "-t", recipient,
                                 "-F", file.name, f"127.0.0.1:{postfix.port()}")
        assert result.returncode == 0, result.stderr


PROGRAMS = {"smtp": send_smtp, "swaks": send_swaks, "sendmail": send_sendmail, "smtp-source": send_smtp_source}
