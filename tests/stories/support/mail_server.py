"""A real mail server for one story: STARTTLS and signing in are required; each message is told as a line of JSON."""

import json
import ssl
import sys

import dkim
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PORT, CERTIFICATE, KEY, RECORD = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


def dns(name, timeout=5):
    return RECORD if name == b"watch._domainkey.county.invalid." else None


class Handler:
    async def handle_DATA(self, server, session, envelope):
        taken = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None,
            "signed": dkim.verify(envelope.original_content, dnsfunc=dns),
            "changed": dkim.verify(envelope.original_content.replace(b"usual", b"unusual"), dnsfunc=dns),
            "text": envelope.original_content.decode("ascii"),
        }
        print(json.dumps(taken), flush=True)
        return "250 taken"


def known(server, session, envelope, mechanism, data):
    # Not handled here: the server itself says 235 or 535.
    return AuthResult(success=(data.login, data.password) == (b"watch", b"open sesame"), handled=False)


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(CERTIFICATE, KEY)
server = Controller(
    Handler(),
    hostname="127.0.0.1",
    port=PORT,
    tls_context=tls,
    require_starttls=True,
    auth_required=True,
    authenticator=known,
)
server.start()
print("ready", flush=True)
sys.stdin.read()
server.stop()
