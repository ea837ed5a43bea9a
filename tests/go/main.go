// What Go makes of certificates and of PEM files: one request a line in, one verdict a line out, in order.
//
// Go is what etcd and the API server are made of. The judge uses the standard library only, so that it
// builds without a network.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
)

// A request holds one question.
type request struct {
	Chain *chain    `json:"chain"`
	Pair  *pemPair  `json:"pair"`
	Trust *pemTrust `json:"trust"`
	List  *pemList  `json:"list"`
	Crl   *crl      `json:"crl"`
}

// A verdict says whether Go accepts; if not, which stage refused, in Go's own words.
type verdict struct {
	Accepts bool   `json:"accepts"`
	Stage   string `json:"stage"`
	Error   string `json:"error"`
}

func refused(stage string, err error) verdict {
	return verdict{Stage: stage, Error: err.Error()}
}

var accepted = verdict{Accepts: true}

func (r request) judge() verdict {
	switch {
	case r.Chain != nil:
		return r.Chain.judge()
	case r.Pair != nil:
		return r.Pair.judge()
	case r.Trust != nil:
		return r.Trust.judge()
	case r.List != nil:
		return r.List.judge()
	case r.Crl != nil:
		return r.Crl.judge()
	}
	return verdict{Stage: "request", Error: "neither a chain, nor a pair, nor a trust file, nor a CRL"}
}

func main() {
	var lines [][]byte
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 {
			lines = append(lines, line)
		}
		if err != nil {
			break
		}
	}
	verdicts := make([]verdict, len(lines))
	next := make(chan int)
	var workers sync.WaitGroup
	for worker := 0; worker < runtime.GOMAXPROCS(0); worker++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for at := range next {
				var question request
				if err := json.Unmarshal(lines[at], &question); err != nil {
					verdicts[at] = refused("request", err)
					continue
				}
				verdicts[at] = question.judge()
			}
		}()
	}
	for at := range lines {
		next <- at
	}
	close(next)
	workers.Wait()
	out := bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	for _, answer := range verdicts {
		if err := answers.Encode(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
