package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// A pemPair is a certificate file and a key file, as etcd loads them.
type pemPair struct {
	Certificate []byte `json:"certificate"`
	Key         []byte `json:"key"`
}

func (p *pemPair) judge() verdict {
	if _, err := tls.X509KeyPair(p.Certificate, p.Key); err != nil {
		return refused("pair", err)
	}
	return accepted
}

// A pemTrust is a file of trusted CAs, as etcd loads it (client/pkg/tlsutil, NewCertPool): each block, whatever
// its label, is a certificate.
type pemTrust struct {
	File []byte `json:"file"`
	// How many certificates the file holds.
	Count int `json:"count"`
}

func (t *pemTrust) judge() verdict {
	count := 0
	for rest := t.File; ; count++ {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return refused("trust", err)
		}
	}
	if count != t.Count {
		return refused("trust", errors.New("it reads another number of certificates"))
	}
	return accepted
}

// A pemList is a file with a CRL, as etcd before 3.6 loads it (client/pkg/transport, NewTLSListener).
type pemList struct {
	File []byte `json:"file"`
}

func (l *pemList) judge() verdict {
	if _, err := x509.ParseCRL(l.File); err != nil {
		return refused("crl", err)
	}
	return accepted
}

// A crl is a CRL in DER, as etcd loads it: with ParseCRL before 3.6, and with ParseRevocationList since.
type crl struct {
	File []byte `json:"file"`
}

func (c *crl) judge() verdict {
	if _, err := x509.ParseRevocationList(c.File); err != nil {
		return refused("parse", err)
	}
	if _, err := x509.ParseCRL(c.File); err != nil {
		return refused("parse before 3.6", err)
	}
	return accepted
}
