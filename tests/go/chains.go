package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A chain is a leaf with what stands above it, and what it is asked to be good for.
type chain struct {
	Leaf          []byte   `json:"leaf"`
	Intermediates [][]byte `json:"intermediates"`
	Roots         [][]byte `json:"roots"`
	// The host that is dialled; none for a client.
	Host string `json:"host"`
	// server, client, peer (both) or any.
	Purpose string `json:"purpose"`
	// The moment that is asked about, in RFC 3339.
	At string `json:"at"`
	// The leaf's private key in PKCS #8. Without it there is no handshake.
	Key []byte `json:"key"`
}

func (c *chain) judge() verdict {
	at, err := time.Parse(time.RFC3339Nano, c.At)
	if err != nil {
		return refused("at", err)
	}
	leaf, err := x509.ParseCertificate(c.Leaf)
	if err != nil {
		return refused("parse", err)
	}
	roots, err := pool(c.Roots)
	if err != nil {
		return refused("parser", err)
	}
	intermediates, err := pool(c.Intermediates)
	if err != nil {
		return refused("parsei", err)
	}
	for _, usage := range c.usages() {
		options := x509.VerifyOptions{
			DNSName:       c.Host,
			Intermediates: intermediates,
			Roots:         roots,
			CurrentTime:   at,
			KeyUsages:     []x509.ExtKeyUsage{usage},
		}
		if _, err := leaf.Verify(options); err != nil {
			return refused("verify", err)
		}
	}
	if len(c.Key) == 0 {
		return accepted
	}
	return c.shakeHands(at, roots)
}

func pool(ders [][]byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, der := range ders {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		pool.AddCert(certificate)
	}
	return pool, nil
}

func (c *chain) usages() []x509.ExtKeyUsage {
	switch c.Purpose {
	case "server":
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case "client":
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	case "peer":
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	return []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
}

// shakeHands uses the leaf as a server, as a client, or as both. Purpose any asks for no handshake.
func (c *chain) shakeHands(at time.Time, roots *x509.CertPool) verdict {
	key, err := x509.ParsePKCS8PrivateKey(c.Key)
	if err != nil {
		return refused("key", err)
	}
	own := tls.Certificate{
		Certificate: append([][]byte{c.Leaf}, c.Intermediates...),
		PrivateKey:  key,
	}
	clock := func() time.Time { return at }
	if c.Purpose == "server" || c.Purpose == "peer" {
		server := &tls.Config{Certificates: []tls.Certificate{own}, Time: clock}
		client := &tls.Config{RootCAs: roots, ServerName: c.Host, Time: clock}
		// Without a host Verify has had its say already.
		client.InsecureSkipVerify = c.Host == ""
		if err := handshake(server, client); err != nil {
			return refused("tls", errors.New("server: "+err.Error()))
		}
	}
	if c.Purpose == "client" || c.Purpose == "peer" {
		server := &tls.Config{
			Certificates: []tls.Certificate{somebody()},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    roots,
			Time:         clock,
		}
		client := &tls.Config{
			// As etcd's client does: it sends its certificate whatever CAs the server names.
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				return &own, nil
			},
			InsecureSkipVerify: true,
			Time:               clock,
		}
		if err := handshake(server, client); err != nil {
			return refused("tls", errors.New("client: "+err.Error()))
		}
	}
	return accepted
}

// handshake runs both ends in memory, then sends an octet to the client: only when a client of TLS 1.3 reads
// does it learn that it was refused.
func handshake(serverConfig, clientConfig *tls.Config) error {
	near, far := connected()
	server, client := tls.Server(near, serverConfig), tls.Client(far, clientConfig)
	served := make(chan error, 1)
	go func() {
		_, err := server.Write([]byte{0})
		near.Close()
		served <- err
	}()
	_, err := client.Read(make([]byte, 1))
	far.Close()
	if serverErr := <-served; serverErr != nil && (err == nil || isRemote(err)) {
		return serverErr
	}
	return err
}

// isRemote says whether only the other end knows the reason.
func isRemote(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) || errors.Is(err, io.EOF)
}

// somebody is a server whose certificate no client looks at.
var somebody = sync.OnceValue(func() tls.Certificate {
	certificate, err := selfSigned()
	if err != nil {
		panic(err)
	}
	return certificate
})
