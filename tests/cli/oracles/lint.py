"""Lints certificates with pkilint's own commands in one process: JSON on stdin, JSON on stdout."""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pkilint.bin import lint_pkix_cert, lint_pkix_signer_signee_cert_chain


def lint(linter, what, *files):
    """The findings of every severity, the lowest too."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        linter.main(["lint", "--severity", "ALL", "--format", "JSON", *map(str, files)])
    # A certificate that cannot be read leaves nothing here, which is no JSON: an error.
    for result in json.loads(out.getvalue())["results"]:
        for finding in result["finding_descriptions"]:
            yield {"certificate": what, "where": result["node_path"], **finding}


def all_findings(cases, folder):
    seen = {}
    for case in cases:
        what = case["certificate"]
        pem = Path(what).read_bytes() + Path(case["root"]).read_bytes()
        chain = [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(pem)]
        for der in chain:
            if der not in seen:
                seen[der] = Path(folder) / f"{len(seen)}.der"
                seen[der].write_bytes(der)
                yield from lint(lint_pkix_cert, what, seen[der])
        for below, above in zip(chain, chain[1:]):
            # A root may go without authorityKeyIdentifier (RFC 5280 section 4.2.1.1).
            if below != above:
                yield from lint(
                    lint_pkix_signer_signee_cert_chain, what, seen[above], seen[below]
                )


with tempfile.TemporaryDirectory() as folder:
    json.dump(list(all_findings(json.load(sys.stdin), folder)), sys.stdout)
