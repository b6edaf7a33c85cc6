package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	"github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/validate"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

// Product line of the lab's server.
const line = "Milan"

// A request as the service takes it.
type snpRequest struct {
	Evidence struct {
		Report       string `json:"report"`
		Endorsements struct {
			Vek string `json:"vek"`
		} `json:"endorsements"`
	} `json:"evidence"`
	Nonce string `json:"nonce"`
}

type snpCheck struct {
	ID     string `json:"id"`
	Result string `json:"result"`
	About  string `json:"about"`
	Detail string `json:"detail"`
}

type snpAnswer struct {
	Decision string            `json:"decision"`
	Reasons  []string          `json:"reasons"`
	Claims   map[string]string `json:"claims"`
	Checks   []snpCheck        `json:"checks"`
}

type snpVerifier struct {
	root *trust.AMDRootCerts
	// As many as make an answer about as long as the service's.
	checks []snpCheck
}

func newSnpVerifier(folder string, answerLength int) *snpVerifier {
	root := trust.AMDRootCertsProduct(line)
	must(root.FromKDSCert(filepath.Join(folder, "chains/chain.pem")))
	crl, err := os.ReadFile(filepath.Join(folder, "chains/list.crl"))
	must(err)
	root.CRL, err = x509.ParseRevocationList(crl)
	must(err)
	check := snpCheck{"snp_signature", "pass", "/evidence/report", "a sentence that says what was compared with what"}
	text, err := json.Marshal(check)
	must(err)
	checks := make([]snpCheck, answerLength/(len(text)+1))
	for index := range checks {
		checks[index] = check
	}
	return &snpVerifier{root, checks}
}

func (v *snpVerifier) handler(checkRevocations bool) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		var body snpRequest
		err := json.NewDecoder(request.Body).Decode(&body)
		var answer *snpAnswer
		if err == nil {
			answer, err = v.verify(&body, checkRevocations)
		}
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		response.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(response).Encode(answer)
	}
}

func (v *snpVerifier) verify(body *snpRequest, checkRevocations bool) (*snpAnswer, error) {
	report, err := base64.RawURLEncoding.DecodeString(body.Evidence.Report)
	if err != nil {
		return nil, err
	}
	vek, err := base64.RawURLEncoding.DecodeString(body.Evidence.Endorsements.Vek)
	if err != nil {
		return nil, err
	}
	nonce, err := base64.RawURLEncoding.DecodeString(body.Nonce)
	if err != nil || len(nonce) > abi.ReportDataSize {
		return nil, fmt.Errorf("nonce: %v", err)
	}
	parsed, err := abi.ReportToProto(report)
	if err != nil {
		return nil, err
	}
	attestation := &sevsnp.Attestation{Report: parsed, CertificateChain: &sevsnp.CertificateChain{VcekCert: vek}}
	if err := verify.SnpAttestation(attestation, &verify.Options{
		CheckRevocations:    checkRevocations,
		DisableCertFetching: true,
		Now:                 time.Now(),
		TrustedRoots:        map[string][]*trust.AMDRootCerts{line: {v.root}},
	}); err != nil {
		return nil, err
	}
	reportData := make([]byte, abi.ReportDataSize)
	copy(reportData, nonce)
	vmpl := 0
	if err := validate.SnpAttestation(attestation, &validate.Options{
		GuestPolicy: abi.SnpPolicy{ABIMinor: 31, SMT: true},
		ReportData:  reportData,
		MinimumTCB:  kds.TCBParts{SnpSpl: 24, UcodeSpl: 219},
		VMPL:        &vmpl,
	}); err != nil {
		return nil, err
	}
	return &snpAnswer{"allow", []string{}, claimsOf(parsed), v.checks}, nil
}

func claimsOf(report *sevsnp.Report) map[string]string {
	return map[string]string{
		"measurement": hex.EncodeToString(report.GetMeasurement()),
		"reportData":  hex.EncodeToString(report.GetReportData()),
		"hostData":    hex.EncodeToString(report.GetHostData()),
		"chipId":      hex.EncodeToString(report.GetChipId()),
		"reportId":    hex.EncodeToString(report.GetReportId()),
	}
}
