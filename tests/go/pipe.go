package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// A pipe carries octets in one direction. Unlike net.Pipe it has a buffer, so that an end which refuses
// can say so and go, while the other is still writing.
type pipe struct {
	lock   sync.Mutex
	filled sync.Cond
	octets []byte
	closed bool
}

func newPipe() *pipe {
	p := &pipe{}
	p.filled.L = &p.lock
	return p
}

func (p *pipe) write(octets []byte) (int, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.closed {
		return 0, io.ErrClosedPipe
	}
	p.octets = append(p.octets, octets...)
	p.filled.Broadcast()
	return len(octets), nil
}

func (p *pipe) read(octets []byte) (int, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	for len(p.octets) == 0 {
		if p.closed {
			return 0, io.EOF
		}
		p.filled.Wait()
	}
	count := copy(octets, p.octets)
	p.octets = p.octets[count:]
	return count, nil
}

func (p *pipe) close() {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.closed = true
	p.filled.Broadcast()
}

// An end of a connection in memory.
type end struct {
	in, out *pipe
}

// connected makes both ends of a connection.
func connected() (net.Conn, net.Conn) {
	there, back := newPipe(), newPipe()
	return &end{back, there}, &end{there, back}
}

func (e *end) Read(octets []byte) (int, error)  { return e.in.read(octets) }
func (e *end) Write(octets []byte) (int, error) { return e.out.write(octets) }

func (e *end) Close() error {
	e.out.close()
	return nil
}

func (*end) LocalAddr() net.Addr              { return address{} }
func (*end) RemoteAddr() net.Addr             { return address{} }
func (*end) SetDeadline(time.Time) error      { return nil }
func (*end) SetReadDeadline(time.Time) error  { return nil }
func (*end) SetWriteDeadline(time.Time) error { return nil }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }
