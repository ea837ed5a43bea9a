"""Asks Python's cryptography about certificates: JSON on stdin, JSON on stdout.

The verifier's own policies (webpki_defaults_ca, webpki_defaults_ee) are left as they are.
"""

import ipaddress
import json
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

CURVES = {ec.SECP256R1: "ecdsa-p256", ec.SECP384R1: "ecdsa-p384", ec.SECP521R1: "ecdsa-p521"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def subject(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def refusal(leaf, intermediates, root, role, host):
    """The verifier's words, or None where it accepts. It has no question about a CA alone."""
    builder = PolicyBuilder().store(Store([root]))
    try:
        if role == "server":
            builder.build_server_verifier(subject(host)).verify(leaf, intermediates)
        elif role == "client":
            builder.build_client_verifier().verify(leaf, intermediates)
    except VerificationError as error:
        return str(error)
    return None


def signed(chain):
    """Whether each certificate names the next as its issuer and bears its signature."""
    try:
        for below, above in zip(chain, chain[1:]):
            below.verify_directly_issued_by(above)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def answer(question):
    leaf, *intermediates = x509.load_pem_x509_certificates(read(question["certificate"]))
    root = x509.load_pem_x509_certificate(read(question["root"]))
    return {
        "refusal": refusal(leaf, intermediates, root, question["role"], question["host"]),
        "signed": signed([leaf, *intermediates, root]),
    }


def algorithm(key):
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVES[type(key.curve)]
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else str(key)


def compare(pair):
    certificate = x509.load_pem_x509_certificates(read(pair["certificate"]))[0]
    key = load_pem_private_key(read(pair["key"]), password=None)
    return {
        "algorithm": algorithm(certificate.public_key()),
        "belong_together": key.public_key() == certificate.public_key(),
    }


asked = json.load(sys.stdin)
answers = {
    "verdicts": [answer(question) for question in asked["questions"]],
    "pairs": [compare(pair) for pair in asked["pairs"]],
}
json.dump(answers, sys.stdout)
