"""Python cryptography's verdicts on many chains: one JSON document in, one out."""

import base64
import datetime
import json
import sys
import warnings

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store

# Certificates that it will refuse one day, a serial number of 0 for instance.
warnings.simplefilter("ignore", CryptographyDeprecationWarning)


def read(text):
    return x509.load_der_x509_certificate(base64.b64decode(text))


def verdict(chain, at, host):
    try:
        store = Store([read(text) for text in chain["anchors"]])
        builder = PolicyBuilder().store(store).time(at)
        verifier = builder.build_server_verifier(x509.DNSName(host))
        between = []
        for text in chain["between"]:
            # What it cannot read it could not have used.
            try:
                between.append(read(text))
            except ValueError:
                pass
        verifier.verify(read(chain["leaf"]), between)
    except Exception as error:  # every refusal, of whatever kind, in its own words
        return f"{type(error).__name__}: {error}"
    return None


document = json.load(sys.stdin)
at = datetime.datetime.fromtimestamp(document["at"], datetime.timezone.utc)
json.dump([verdict(chain, at, document["host"]) for chain in document["chains"]], sys.stdout)
