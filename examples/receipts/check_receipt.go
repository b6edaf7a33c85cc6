// Checks a receipt that the service signs with ES256: go run check_receipt.go RECEIPT JWKS EXPECTED, three files. Exit code 0 means allow.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
)

type policy struct{ ID, SHA256 string }

func must(holds bool, otherwise string) {
	if !holds {
		println(otherwise)
		os.Exit(1)
	}
}
func number(text string) *big.Int { return new(big.Int).SetBytes(decode(text)) }
func decode(text string) []byte {
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(text)
	must(err == nil, "not base64url")
	return bytes
}
func parse(bytes []byte, into any) {
	must(json.Unmarshal(bytes, into) == nil, "not the JSON that is due")
}
func read(argument int) []byte {
	must(len(os.Args) > argument, "RECEIPT JWKS EXPECTED")
	bytes, err := os.ReadFile(os.Args[argument])
	must(err == nil, "cannot be read")
	return bytes
}

func main() {
	var header struct {
		Typ, Alg, Kid string
		Crit          any
	}
	var jwks struct{ Keys []struct{ Kid, X, Y string } }
	var expected struct {
		Issuer, Audience, Nonce, Subject string
		Policies                         []policy
		EvidenceTypes                    []string
	}
	var claims struct {
		Iss, Aud, Sub, Decision string
		Nonce                   string `json:"eat_nonce"`
		Iat, Nbf, Exp           int64
		Policies                []policy
		Evidence                struct{ Type string }
	}
	parse(read(2), &jwks)
	parse(read(3), &expected)
	parts := strings.Split(strings.TrimSpace(string(read(1))), ".")
	must(len(parts) == 3, "not three parts")
	parse(decode(parts[0]), &header)
	must(header.Typ == "eat+jwt" && header.Alg == "ES256" && header.Crit == nil, "header")
	at := slices.IndexFunc(jwks.Keys, func(key struct{ Kid, X, Y string }) bool { return key.Kid == header.Kid })
	signature, digest := decode(parts[2]), sha256.Sum256([]byte(parts[0]+"."+parts[1]))
	must(at >= 0 && len(signature) == 64, "no key of the issuer, or no signature")
	key := ecdsa.PublicKey{Curve: elliptic.P256(), X: number(jwks.Keys[at].X), Y: number(jwks.Keys[at].Y)}
	must(ecdsa.Verify(&key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])), "signature")
	parse(decode(parts[1]), &claims)
	now := time.Now().Unix()
	must(claims.Iss == expected.Issuer && claims.Aud == expected.Audience, "another issuer or audience, or no allow")
	must(expected.Nonce != "" && claims.Nonce == expected.Nonce, "another nonce, or none: the receipt is of another request")
	must(claims.Nbf-60 <= now && now < claims.Exp && claims.Exp <= claims.Iat+300, "not valid now")
	must(claims.Sub == expected.Subject && reflect.DeepEqual(claims.Policies, expected.Policies), "another policy, or another text of it")
	must(slices.Contains(expected.EvidenceTypes, claims.Evidence.Type) && claims.Decision == "allow", "another type of evidence, or no allow")
}
