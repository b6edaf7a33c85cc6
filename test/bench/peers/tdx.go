package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-tdx-guest/verify"
)

// Collateral as the service has it in a folder, with the signed documents as text.
type collateral struct {
	TcbInfo             string `json:"tcb_info"`
	TcbInfoSignature    string `json:"tcb_info_signature"`
	TcbInfoChain        string `json:"tcb_info_issuer_chain"`
	QeIdentity          string `json:"qe_identity"`
	QeIdentitySignature string `json:"qe_identity_signature"`
	QeIdentityChain     string `json:"qe_identity_issuer_chain"`
	PckCrl              string `json:"pck_crl"`
	PckCrlChain         string `json:"pck_crl_issuer_chain"`
	RootCaCrl           string `json:"root_ca_crl"`
}

type document struct {
	header map[string][]string
	body   []byte
}

// Answers from memory what the library asks Intel's service for, as that service would.
type memory struct {
	tcbInfo, qeIdentity, pckCrl, rootCrl document
}

func (m *memory) Get(address string) (map[string][]string, []byte, error) {
	var found *document
	switch {
	case strings.Contains(address, "/tcb?"):
		found = &m.tcbInfo
	case strings.Contains(address, "/qe/identity"):
		found = &m.qeIdentity
	case strings.Contains(address, "/pckcrl?"):
		found = &m.pckCrl
	case strings.HasSuffix(address, ".der"):
		found = &m.rootCrl
	default:
		return nil, nil, fmt.Errorf("nothing is at %s", address)
	}
	return found.header, found.body, nil
}

type tdxVerifier struct {
	roots  *x509.CertPool
	getter *memory
	quotes [][]byte
	turn   int
}

func newTdxVerifier(folder string) *tdxVerifier {
	var found collateral
	readJSON(filepath.Join(folder, "intel/collateral.json"), &found)
	verifier := &tdxVerifier{roots: x509.NewCertPool(), getter: memoryOf(&found)}
	// leaf first, root last
	chain := found.PckCrlChain
	if !verifier.roots.AppendCertsFromPEM([]byte(chain[strings.LastIndex(chain, "-----BEGIN"):])) {
		must(fmt.Errorf("collateral without a root"))
	}
	readJSON(filepath.Join(folder, "quotes.json"), &verifier.quotes)
	return verifier
}

func memoryOf(found *collateral) *memory {
	chain := func(name, pem string) map[string][]string {
		return map[string][]string{name: {url.QueryEscape(pem)}}
	}
	signed := func(name, text, signature string) []byte {
		return []byte(fmt.Sprintf(`{"%s":%s,"signature":"%s"}`, name, text, signature))
	}
	crl := func(text string) []byte {
		der, err := hex.DecodeString(text)
		must(err)
		return der
	}
	return &memory{
		tcbInfo: document{
			chain("Tcb-Info-Issuer-Chain", found.TcbInfoChain),
			signed("tcbInfo", found.TcbInfo, found.TcbInfoSignature),
		},
		qeIdentity: document{
			chain("Sgx-Enclave-Identity-Issuer-Chain", found.QeIdentityChain),
			signed("enclaveIdentity", found.QeIdentity, found.QeIdentitySignature),
		},
		pckCrl:  document{chain("Sgx-Pck-Crl-Issuer-Chain", found.PckCrlChain), crl(found.PckCrl)},
		rootCrl: document{nil, crl(found.RootCaCrl)},
	}
}

// One after another, as the calls of one request handler.
func (v *tdxVerifier) verify(times int) {
	for ; times > 0; times-- {
		quote := v.quotes[v.turn%len(v.quotes)]
		v.turn++
		must(verify.RawTdxQuote(quote, &verify.Options{
			CheckRevocations: true,
			GetCollateral:    true,
			Getter:           v.getter,
			TrustedRoots:     v.roots,
		}))
	}
}

func readJSON(file string, into any) {
	text, err := os.ReadFile(file)
	must(err)
	must(json.Unmarshal(text, into))
}
