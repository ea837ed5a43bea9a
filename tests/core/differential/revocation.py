"""What Python's cryptography says of many CRLs: one JSON document in, one out.

It has no verdict on revocation; it reads CRLs, checks signatures and finds serial numbers.
"""

import base64
import json
import sys
import warnings

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

warnings.simplefilter("ignore", CryptographyDeprecationWarning)


def read(text):
    return x509.load_der_x509_certificate(base64.b64decode(text))


def verdict(case):
    try:
        crls = [x509.load_der_x509_crl(base64.b64decode(text)) for text in case["crls"]]
        for crl in crls:
            len(crl), crl.extensions, [entry.extensions for entry in crl]
    except Exception as error:  # whatever it stumbles over, in its own words
        return f"unreadable: {type(error).__name__}: {error}"
    path = [read(text) for text in [case["leaf"], *case["between"], *case["anchors"]]]
    for certificate, issuer in zip(path, path[1:]):
        signed = [crl for crl in crls if crl.is_signature_valid(issuer.public_key())]
        serial = certificate.serial_number
        if any(crl.get_revoked_certificate_by_serial_number(serial) for crl in signed):
            return "revoked"
        if not signed and (certificate == path[0] or case["all"]):
            return "no signature"
    return None


json.dump([verdict(case) for case in json.load(sys.stdin)], sys.stdout)
