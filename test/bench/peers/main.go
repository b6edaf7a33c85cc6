// Verifiers in Go over google/go-sev-guest and google/go-tdx-guest, which the service is compared with.
//
// It takes a folder of evidence and endorsements and the length of the service's answer. It prints where it listens.
// Then it answers each line on standard input with one: CPU seconds used so far for `cpu`, or `done` once it has
// verified n TD quotes for `tdx n`. It ends with its standard input.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

func main() {
	folder := os.Args[1]
	answerLength, err := strconv.Atoi(os.Args[2])
	must(err)
	snp := newSnpVerifier(folder, answerLength)
	tdx := newTdxVerifier(folder)
	http.HandleFunc("/with-crl", snp.handler(true))
	http.HandleFunc("/without-crl", snp.handler(false))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() { must(http.Serve(listener, nil)) }()
	fmt.Printf("http://%s\n", listener.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var times int
		if lines.Text() == "cpu" {
			fmt.Println(cpuSeconds())
		} else if _, err := fmt.Sscanf(lines.Text(), "tdx %d", &times); err == nil {
			tdx.verify(times)
			fmt.Println("done")
		}
	}
}

// User and system time of all threads.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
