// Generated from openapi.yaml by `npm run generate`. Not edited by hand.

export interface paths {
    readonly "/verify": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Judges evidence under one or more policies
         * @description Every judged request is answered with 200, whatever the decision is, unless `enforce` is set.
         *     Needs the role `verify`.
         */
        readonly post: operations["verifyEvidence"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/inspect": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Shows what evidence says, field by field, and verifies nothing
         * @description The body is what /verify takes as `evidence`, or a whole /verify body, of which only the evidence is shown. An
         *     attacker can choose every value that is shown: none of them is a reason to trust the guest. Of an event log the
         *     first 256 events are shown, and the others counted. Needs the role `verify`.
         */
        readonly post: operations["inspectEvidence"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/challenges": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Makes a nonce that this service accepts once
         * @description Each member of the body limits what the nonce can be used for; an omitted one does not. Needs the role `verify`.
         */
        readonly post: operations["issueChallenge"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/livez": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Whether the process is of use, or should be started again */
        readonly get: operations["live"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/readyz": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Whether the service should get traffic */
        readonly get: operations["ready"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/metrics": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Counters and durations for Prometheus
         * @description Needs the role `metrics`.
         */
        readonly get: operations["metrics"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/openapi.json": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** This document as JSON */
        readonly get: operations["openapi"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/docs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** This document as a page for people */
        readonly get: operations["docs"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @description Bytes as base64url or base64, padding optional, one alphabet per string.
         * @example AAECAwQFBgcICQoLDA0ODw
         */
        readonly Bytes: string;
        /**
         * @description A certificate. PEM where the string starts with `-----BEGIN`, else the bytes of its DER. PEM text holds
         *     nothing but its blocks and blank lines around them: LF or CRLF, lines of one length of up to 76 characters, the
         *     last may be shorter; zeros after the DER in a block are dropped. PEM text of more than 32 KiB, a certificate of
         *     more than 16 KiB, an object identifier of more than 32 arcs, and an extended key usage of more than 16 purposes
         *     are 400 `cert_format`.
         * @example MIIFQzCCAvegAwIBAgIBADBBBgkqhkiG9w0BAQow
         */
        readonly Certificate: string;
        /**
         * @description Hex in either case, two digits a byte.
         * @example 003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463
         */
        readonly HexInput: string;
        /**
         * @description Hex in lower case, two digits a byte.
         * @example 003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463
         */
        readonly Hex: string;
        /**
         * @description Bytes as a list of numbers.
         * @example [
         *       72,
         *       67,
         *       76,
         *       65
         *     ]
         */
        readonly Octets: readonly number[];
        /**
         * @description RFC 3339 instant in UTC, with `Z`. Digits after the third of a second's fraction are dropped.
         * @example 2026-01-15T12:00:00Z
         */
        readonly Instant: string;
        /**
         * @description Id of a policy.
         * @example azure-cvm-baseline
         */
        readonly PolicyId: string;
        /**
         * @description Name of the relying party that the answer is for, usually its URL. It is never contacted.
         * @example https://gate.example
         */
        readonly Audience: string;
        readonly VerifyRequest: {
            readonly evidence: components["schemas"]["Evidence"];
            /**
             * @description Other verifiers' tokens about the same TEE, at most one of each type, a token as evidence included. One that
             *     fails, that differs from what the evidence says, or that is about another TEE denies, also where its route
             *     is off.
             */
            readonly attestationResults?: readonly components["schemas"]["AttestationResult"][];
            /**
             * @description Bytes, 8 to 64 of them after decoding: the caller's own, or those of POST /challenges. They must not
             *     start with the ASCII letters `veritee1` (400 `nonce`). TPM quotes hold 50 bytes, so for vTPM evidence
             *     without `binding` a longer nonce is 400 `nonce`.
             * @example q83vASNFZ4mrze8BI0VniQ
             */
            readonly nonce?: string;
            readonly binding?: components["schemas"]["Binding"];
            readonly policy?: components["schemas"]["PolicySelection"];
            readonly audience?: components["schemas"]["Audience"];
            /** @description Historical instant at which to judge. 400 `at_not_enabled` in the future, or where it is not configured. */
            readonly at?: components["schemas"]["Instant"];
        };
        /**
         * @description The policy, or several that must all allow. Absent, the configured default.
         * @example azure-cvm-baseline
         * @example [
         *       "azure-cvm-baseline",
         *       "payments"
         *     ]
         */
        readonly PolicySelection: components["schemas"]["PolicyId"] | readonly components["schemas"]["PolicyId"][];
        /**
         * @description A public key that the evidence must vouch for together with the nonce. What must then stand in the evidence
         *     is not the nonce but the 8 letters `veritee1` and SHA-256("veritee-bind-v1" ‖ 0x00 ‖ nonce ‖ RFC 7638
         *     SHA-256 thumbprint), 40 bytes.
         */
        readonly Binding: {
            readonly jwk: components["schemas"]["PublicJwk"];
        };
        /**
         * @description A public JWK (RFC 7517). Numbers and coordinates are base64url without padding, as RFC 7518 has them.
         *     A member of a private key is refused (400 `schema`).
         */
        readonly PublicJwk: components["schemas"]["RsaPublicJwk"] | components["schemas"]["EcPublicJwk"] | components["schemas"]["OkpPublicJwk"];
        readonly RsaPublicJwk: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly kty: "RSA";
            /** @description Modulus, 2048 to 8192 bits. */
            readonly n: string;
            /**
             * @description Public exponent.
             * @example AQAB
             */
            readonly e: string;
            readonly kid?: components["schemas"]["JwkText"];
            readonly use?: components["schemas"]["JwkText"];
            readonly alg?: components["schemas"]["JwkText"];
            readonly key_ops?: components["schemas"]["JwkOperations"];
            readonly ext?: components["schemas"]["JwkExtractable"];
        };
        readonly EcPublicJwk: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly kty: "EC";
            /** @enum {string} */
            readonly crv: "P-256" | "P-384" | "P-521";
            /** @description Coordinate of the full length of the curve. */
            readonly x: string;
            /** @description Coordinate of the full length of the curve. */
            readonly y: string;
            readonly kid?: components["schemas"]["JwkText"];
            readonly use?: components["schemas"]["JwkText"];
            readonly alg?: components["schemas"]["JwkText"];
            readonly key_ops?: components["schemas"]["JwkOperations"];
            readonly ext?: components["schemas"]["JwkExtractable"];
        };
        readonly OkpPublicJwk: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly kty: "OKP";
            /** @enum {string} */
            readonly crv: "Ed25519" | "X25519";
            /** @description Public key, 32 bytes. */
            readonly x: string;
            readonly kid?: components["schemas"]["JwkText"];
            readonly use?: components["schemas"]["JwkText"];
            readonly alg?: components["schemas"]["JwkText"];
            readonly key_ops?: components["schemas"]["JwkOperations"];
            readonly ext?: components["schemas"]["JwkExtractable"];
        };
        /** @description Not part of the thumbprint, and not looked at. */
        readonly JwkText: string;
        /** @description Not part of the thumbprint, and not looked at. */
        readonly JwkOperations: readonly string[];
        /** @description Web Crypto writes it. Not part of the thumbprint, and not looked at. */
        readonly JwkExtractable: boolean;
        /** @description Holds for a JWK with a member of a private or symmetric key (RFC 7518 section 6). */
        readonly HasPrivateMember: unknown | unknown | unknown | unknown | unknown | unknown | unknown | unknown;
        /**
         * @description What the confidential VM produced: in the members of its type, or, with `dialect`, in the shape in which
         *     guests in the field produce it. A `type` that this version does not judge is 400 `type_unsupported`, a
         *     dialect of another type, or bytes that are evidence of another type, 400 `type_mismatch`. An HCL report of
         *     another TEE, which only its own fields tell, is 400 `hcl_format`.
         */
        readonly Evidence: components["schemas"]["NativeEvidence"] | components["schemas"]["DialectEvidence"];
        readonly NativeEvidence: components["schemas"]["SnpEvidence"] | components["schemas"]["TdxEvidence"] | components["schemas"]["AzSnpVtpmEvidence"] | components["schemas"]["AzTdxVtpmEvidence"] | components["schemas"]["MaaTokenEvidence"] | components["schemas"]["ItaTokenEvidence"];
        readonly DialectEvidence: components["schemas"]["TrusteeEvidence"] | components["schemas"]["MaaRequestEvidence"] | components["schemas"]["ExtendedReportEvidence"] | components["schemas"]["ConfigfsTsmEvidence"] | components["schemas"]["ItaRequestEvidence"];
        /** @description An AMD SEV-SNP attestation report. */
        readonly SnpEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly type: "snp";
            /** @description ATTESTATION_REPORT, 1184 bytes. */
            readonly report: components["schemas"]["Bytes"];
            /**
             * @description Bytes whose SHA-256 is in REPORT_DATA, followed by zeros: JSON with the nonce in `nonce` (base64url) and
             *     a bound key among `keys`, or Azure runtime claims.
             */
            readonly runtimeData?: components["schemas"]["Bytes"];
            readonly endorsements?: components["schemas"]["SnpEndorsements"];
        };
        /** @description An Azure confidential VM on SEV-SNP, through the vTPM of its paravisor. */
        readonly AzSnpVtpmEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly type: "az-snp-vtpm";
            /** @description Report of the paravisor as read from NV index 0x01400001, zero filling included or not. */
            readonly hclReport: components["schemas"]["Bytes"];
            readonly tpmQuote: components["schemas"]["TpmQuote"];
            readonly endorsements?: components["schemas"]["SnpEndorsements"];
            readonly akCertificate?: components["schemas"]["AkCertificate"];
            readonly akChain?: components["schemas"]["AkChain"];
        };
        /** @description A quote of an Intel TDX trust domain. */
        readonly TdxEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly type: "tdx";
            /**
             * @description TD quote of version 4 or 5, with certification data of type 6 that holds a PCK chain (type 5) of at most
             *     32 KiB. Zeros may follow its end. A TDREPORT, which has no signature, is 400 `tdx_not_a_quote`.
             */
            readonly quote: components["schemas"]["Bytes"];
            /**
             * @description Bytes whose SHA-256 is in REPORTDATA, followed by zeros: JSON with the nonce in `nonce` (base64url) and a
             *     bound key among `keys`, or Azure runtime claims.
             */
            readonly runtimeData?: components["schemas"]["Bytes"];
            readonly collateral?: components["schemas"]["TdxCollateral"];
            /**
             * @description Data of the event log (CCEL) of the domain, not the ACPI table that points to it: at most
             *     `limits.eventLogBytes`, and 4096 events.
             */
            readonly ccel?: components["schemas"]["Bytes"];
        };
        /**
         * @description An Azure confidential VM on TDX, through the vTPM of its paravisor. Without `tdQuote` it is 400
         *     `tdx_not_a_quote`: the TDREPORT in the paravisor's report has no signature.
         */
        readonly AzTdxVtpmEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly type: "az-tdx-vtpm";
            /** @description Report of the paravisor as read from NV index 0x01400001, zero filling included or not. */
            readonly hclReport: components["schemas"]["Bytes"];
            /** @description The quote that the metadata service made of the TDREPORT in `hclReport`. */
            readonly tdQuote: components["schemas"]["Bytes"];
            readonly tpmQuote: components["schemas"]["TpmQuote"];
            readonly collateral?: components["schemas"]["TdxCollateral"];
            readonly akCertificate?: components["schemas"]["AkCertificate"];
            readonly akChain?: components["schemas"]["AkChain"];
        };
        /**
         * @description Certificate of the vTPM's attestation key (NV index 0x01C101D0): PEM where the string starts with `-----BEGIN`,
         *     else DER, zero filling included or not. It is judged whenever it is sent, and never replaces the
         *     hardware evidence.
         */
        readonly AkCertificate: string;
        /**
         * @description PEM, at most 32 KiB: the issuer of the AK certificate first, the root last. The service fetches none of these
         *     certificates.
         */
        readonly AkChain: string;
        /**
         * @description Intel's signed collateral for the platform of a quote. A part is replaced where the service has a newer one, or gets
         *     one from Intel. If Intel cannot be asked, collateral that was issued within 48 hours counts, with the warning
         *     `collateral_unconfirmed`. Without it the service looks in the configured directory, in the cache and at Intel.
         */
        readonly TdxCollateral: {
            /** @description The JSON that is signed, byte for byte: the value of `tcbInfo`. */
            readonly tcb_info: string;
            /** @description The JSON that is signed, byte for byte: the value of `enclaveIdentity`. */
            readonly qe_identity: string;
            /** @description r and s, 64 bytes. */
            readonly tcb_info_signature: components["schemas"]["HexInput"];
            /** @description r and s, 64 bytes. */
            readonly qe_identity_signature: components["schemas"]["HexInput"];
            readonly tcb_info_issuer_chain: components["schemas"]["IntelChain"];
            readonly qe_identity_issuer_chain: components["schemas"]["IntelChain"];
            readonly pck_crl_issuer_chain: components["schemas"]["IntelChain"];
            /** @description DER of the list of the Platform or Processor CA. */
            readonly pck_crl: components["schemas"]["HexInput"];
            /** @description DER of the list of the root. */
            readonly root_ca_crl: components["schemas"]["HexInput"];
            /**
             * @description PEM: the certificates of the quote once more, in the same order, as some clients send them. Others than
             *     those of the quote are 400 `cert_chain`. Null is as if it were not there.
             */
            readonly pck_certificate_chain?: string | null;
        };
        /** @description PEM, at most 32 KiB: the signer, then the root, and no other. */
        readonly IntelChain: string;
        /**
         * @description Certificates that come with the evidence. Those that are sent are judged, and never replaced by another source.
         *     Omitted ones are looked for in the configured directory, in the cache and at the vendor.
         */
        readonly SnpEndorsements: {
            /** @description VCEK or VLEK. */
            readonly vek?: components["schemas"]["Certificate"];
            /** @description PEM, at most 32 KiB, two blocks: ASK or ASVK, then ARK. */
            readonly chain?: string;
            /**
             * @description Certificate table of the SNP extended report (GHCB, SNP_EXT_GUEST_REQUEST), of at most 64 entries. Not
             *     beside `vek` or `chain`.
             */
            readonly certificateTable?: components["schemas"]["Bytes"];
            /** @description Revocation lists of AMD, each the bytes of its DER. */
            readonly crls?: readonly components["schemas"]["Bytes"][];
        };
        /** @description A TPM 2.0 quote and the PCR values that it is about. */
        readonly TpmQuote: {
            /** @description TPMS_ATTEST without size prefix. */
            readonly message: components["schemas"]["Bytes"];
            /** @description The bare RSA signature where its length is that of the modulus, else a TPMT_SIGNATURE. */
            readonly signature: components["schemas"]["Bytes"];
            readonly pcrs: components["schemas"]["PcrValues"];
        };
        /**
         * @description Exactly the values that the signed selection names, by bank and index.
         * @example {
         *       "sha256": {
         *         "0": "003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463"
         *       }
         *     }
         */
        readonly PcrValues: {
            readonly sha1?: components["schemas"]["PcrBankValues"];
            readonly sha256?: components["schemas"]["PcrBankValues"];
            readonly sha384?: components["schemas"]["PcrBankValues"];
            readonly sha512?: components["schemas"]["PcrBankValues"];
        };
        /** @description Values by index. An index is decimal without leading zeros, 0 to 23. */
        readonly PcrBankValues: {
            readonly [key: string]: components["schemas"]["HexInput"];
        };
        /** @description A token of Microsoft Azure Attestation, where the token is all that the caller has, or beside evidence. */
        readonly MaaTokenEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly type: "maa-token";
            readonly token: components["schemas"]["Token"];
        };
        /** @description A token of Intel Trust Authority, where the token is all that the caller has, or beside evidence. */
        readonly ItaTokenEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly type: "ita-token";
            readonly token: components["schemas"]["Token"];
        };
        /**
         * @description JWS Compact Serialization, 65536 characters at most (400 `token_format`). `jku`, `x5u`, `jwk` and `x5c` of its
         *     header are never followed or used.
         * @example eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL3NoYXJlZGxhYi5sYWIuYXR0ZXN0LmF6dXJlLm5ldCJ9.c2ln
         */
        readonly Token: string;
        readonly AttestationResult: components["schemas"]["MaaTokenEvidence"] | components["schemas"]["ItaTokenEvidence"];
        /**
         * @description The JSON that guests of confidential-containers/trustee send, versions 0, 1 and 2. PCRs are those of the
         *     SHA-256 bank, 0 to 23 in order. `version` names the shape only: it never weakens a check.
         */
        readonly TrusteeEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly dialect: "trustee";
        } & (components["schemas"]["TrusteeEvidenceV0"] | components["schemas"]["TrusteeEvidenceV1"] | components["schemas"]["TrusteeTdxEvidenceV0"] | components["schemas"]["TrusteeTdxEvidenceV1"]);
        readonly TrusteeEvidenceV0: {
            /** @constant */
            readonly type: "az-snp-vtpm";
            /** @constant */
            readonly dialect: "trustee";
            readonly value: components["schemas"]["TrusteeValueV0"];
        };
        readonly TrusteeEvidenceV1: {
            /** @constant */
            readonly type: "az-snp-vtpm";
            /** @constant */
            readonly dialect: "trustee";
            readonly value: components["schemas"]["TrusteeValueV1"];
        };
        readonly TrusteeTdxEvidenceV0: {
            /** @constant */
            readonly type: "az-tdx-vtpm";
            /** @constant */
            readonly dialect: "trustee";
            readonly value: components["schemas"]["TrusteeTdxValueV0"];
        };
        readonly TrusteeTdxEvidenceV1: {
            /** @constant */
            readonly type: "az-tdx-vtpm";
            /** @constant */
            readonly dialect: "trustee";
            readonly value: components["schemas"]["TrusteeTdxValueV1"];
        };
        /** @description Version 0, the shape without `version`: bytes are lists of numbers. */
        readonly TrusteeValueV0: {
            readonly quote: components["schemas"]["TrusteeQuoteV0"];
            /** @description Report of the paravisor. */
            readonly report: components["schemas"]["Octets"];
            readonly vcek: components["schemas"]["Certificate"];
        };
        /** @description Version 0 of a guest on TDX. */
        readonly TrusteeTdxValueV0: {
            readonly tpm_quote: components["schemas"]["TrusteeQuoteV0"];
            /** @description Report of the paravisor. */
            readonly hcl_report: components["schemas"]["Octets"];
            readonly td_quote: components["schemas"]["Octets"];
        };
        readonly TrusteeQuoteV0: {
            readonly signature: components["schemas"]["Octets"];
            readonly message: components["schemas"]["Octets"];
            readonly pcrs: readonly components["schemas"]["Octets"][];
        };
        /** @description Versions 1 and 2. */
        readonly TrusteeValueV1: {
            readonly version: components["schemas"]["TrusteeVersion"];
            readonly tpm_quote: components["schemas"]["TrusteeQuoteV1"];
            /** @description Report of the paravisor. */
            readonly hcl_report: components["schemas"]["Bytes"];
            readonly vcek: components["schemas"]["Certificate"];
        };
        /** @description Versions 1 and 2 of a guest on TDX. */
        readonly TrusteeTdxValueV1: {
            readonly version: components["schemas"]["TrusteeVersion"];
            readonly tpm_quote: components["schemas"]["TrusteeQuoteV1"];
            /** @description Report of the paravisor. */
            readonly hcl_report: components["schemas"]["Bytes"];
            readonly td_quote: components["schemas"]["Bytes"];
        };
        /** @enum {integer} */
        readonly TrusteeVersion: 1 | 2;
        readonly TrusteeQuoteV1: {
            readonly signature: components["schemas"]["HexInput"];
            readonly message: components["schemas"]["HexInput"];
            readonly pcrs: readonly components["schemas"]["HexInput"][];
        };
        /** @description The body that a guest posts to Azure Attestation, attest/SevSnpVm for snp, attest/TdxVm for tdx. */
        readonly MaaRequestEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly dialect: "maa";
        } & (components["schemas"]["MaaSnpRequestEvidence"] | components["schemas"]["MaaTdxRequestEvidence"]);
        readonly MaaSnpRequestEvidence: {
            /** @constant */
            readonly type: "snp";
            /** @constant */
            readonly dialect: "maa";
            readonly value: components["schemas"]["MaaSnpRequest"];
        };
        readonly MaaTdxRequestEvidence: {
            /** @constant */
            readonly type: "tdx";
            /** @constant */
            readonly dialect: "maa";
            readonly value: components["schemas"]["MaaTdxRequest"];
        };
        readonly MaaSnpRequest: {
            /** @description Bytes, as everywhere, of a JSON text. */
            readonly report: string;
            readonly runtimeData?: components["schemas"]["MaaData"];
            readonly initTimeData?: components["schemas"]["MaaInitTimeData"];
            readonly draftPolicyForAttestation?: components["schemas"]["ForOthers"];
            readonly nonce?: components["schemas"]["MaaNonce"];
        };
        readonly MaaTdxRequest: {
            readonly quote: components["schemas"]["Bytes"];
            readonly runtimeData?: components["schemas"]["MaaData"];
            readonly initTimeData?: components["schemas"]["MaaInitTimeData"];
            readonly nonce?: components["schemas"]["MaaNonce"];
        };
        /** @description What `report` of a MaaSnpRequest holds. */
        readonly MaaSnpReport: {
            /** @description ATTESTATION_REPORT, 1184 bytes. */
            readonly SnpReport: components["schemas"]["Bytes"];
            /** @description PEM of VCEK, ASK and ARK, as bytes. */
            readonly VcekCertChain?: components["schemas"]["Bytes"];
            readonly Endorsements?: components["schemas"]["ForOthers"];
        };
        readonly MaaData: {
            /** @description Bytes whose SHA-256 is in the report data. */
            readonly data: components["schemas"]["Bytes"];
            /** @enum {string} */
            readonly dataType: "JSON" | "Binary";
        };
        /** @description Not looked at. */
        readonly MaaInitTimeData: {
            readonly data: components["schemas"]["ForOthers"];
            /** @enum {string} */
            readonly dataType: "JSON" | "Binary";
        };
        /** @description Not looked at. Azure Attestation repeats it, and no hardware has signed it. */
        readonly MaaNonce: string | number;
        /** @description Not looked at. */
        readonly ForOthers: string;
        /** @description The body that a guest posts to Intel Trust Authority, attest or attest/azure, version 1 (flat) or 2 (under `tdx`). */
        readonly ItaRequestEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly dialect: "ita";
        } & (components["schemas"]["ItaRequestEvidenceV1"] | components["schemas"]["ItaRequestEvidenceV2"]);
        readonly ItaRequestEvidenceV1: {
            /** @constant */
            readonly type: "tdx";
            /** @constant */
            readonly dialect: "ita";
            readonly value: components["schemas"]["ItaRequestV1"];
        };
        readonly ItaRequestEvidenceV2: {
            /** @constant */
            readonly type: "tdx";
            /** @constant */
            readonly dialect: "ita";
            readonly value: components["schemas"]["ItaRequestV2"];
        };
        readonly ItaRequestV1: {
            readonly quote: components["schemas"]["Bytes"];
            readonly runtime_data?: components["schemas"]["ItaRuntimeData"];
            readonly user_data?: components["schemas"]["ItaUserData"];
            readonly event_log?: components["schemas"]["ItaEventLog"];
            readonly verifier_nonce?: components["schemas"]["ItaVerifierNonce"] | null;
            readonly policy_ids?: components["schemas"]["ItaPolicyIds"];
            /** @description Not looked at. */
            readonly policy_must_match?: boolean;
            readonly token_signing_alg?: components["schemas"]["ForOthers"];
        };
        readonly ItaRequestV2: {
            readonly tdx: components["schemas"]["ItaTdx"];
            readonly policy_ids?: components["schemas"]["ItaPolicyIds"];
            /** @description Not looked at. */
            readonly policy_must_match?: boolean;
            readonly token_signing_alg?: components["schemas"]["ForOthers"];
        };
        readonly ItaTdx: {
            readonly quote: components["schemas"]["Bytes"];
            readonly runtime_data?: components["schemas"]["ItaRuntimeData"];
            readonly user_data?: components["schemas"]["ItaUserData"];
            readonly event_log?: components["schemas"]["ItaEventLog"];
            readonly verifier_nonce?: components["schemas"]["ItaVerifierNonce"] | null;
        };
        /**
         * @description What an Azure guest sends: the runtime claims of its paravisor, whose SHA-256 is in REPORTDATA. Any other guest: data
         *     that it chose, where REPORTDATA is SHA-512 of `val`, `iat` and this data. Send that hash as `nonce` of this
         *     request; a nonce inside the data does not count.
         */
        readonly ItaRuntimeData: components["schemas"]["Bytes"] | null;
        /** @description The runtime data, as older clients send it. Ignored beside `runtime_data`. */
        readonly ItaUserData: string | null;
        /** @description Not looked at. */
        readonly ItaEventLog: string | null;
        /** @description Intel's nonce, which is hashed into REPORTDATA of a TD without paravisor. Its signature is not verified here. */
        readonly ItaVerifierNonce: {
            readonly val: components["schemas"]["Bytes"];
            readonly iat: components["schemas"]["Bytes"];
            /** @description Not looked at. */
            readonly signature: string;
        };
        /** @description Not looked at. */
        readonly ItaPolicyIds: readonly string[];
        /** @description What SNP_GET_EXT_REPORT gives to a guest. */
        readonly ExtendedReportEvidence: {
            /** @constant */
            readonly type: "snp";
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly dialect: "extended-report";
            /** @description The report, 1184 bytes, followed by the certificate table. A host without one leaves it out. */
            readonly value: components["schemas"]["Bytes"];
        };
        /** @description What a guest reads from /sys/kernel/config/tsm/report. */
        readonly ConfigfsTsmEvidence: {
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            readonly dialect: "configfs-tsm";
        } & (components["schemas"]["ConfigfsTsmSnpEvidence"] | components["schemas"]["ConfigfsTsmTdxEvidence"]);
        readonly ConfigfsTsmSnpEvidence: {
            /** @constant */
            readonly type: "snp";
            /** @constant */
            readonly dialect: "configfs-tsm";
            readonly value: components["schemas"]["ConfigfsTsmSnpValue"];
        };
        readonly ConfigfsTsmTdxEvidence: {
            /** @constant */
            readonly type: "tdx";
            /** @constant */
            readonly dialect: "configfs-tsm";
            readonly value: components["schemas"]["ConfigfsTsmTdxValue"];
        };
        readonly ConfigfsTsmSnpValue: {
            readonly provider?: components["schemas"]["ConfigfsTsmProvider"];
            /** @description ATTESTATION_REPORT, 1184 bytes. */
            readonly outblob: components["schemas"]["Bytes"];
            /** @description The certificate table. An empty string, what a host without one gives, counts as absent. */
            readonly auxblob?: components["schemas"]["Bytes"];
        };
        readonly ConfigfsTsmTdxValue: {
            readonly provider?: components["schemas"]["ConfigfsTsmProvider"];
            /** @description TD quote. */
            readonly outblob: components["schemas"]["Bytes"];
            /**
             * @description Empty, since the kernel has none to give for TDX.
             * @constant
             */
            readonly auxblob?: "";
        };
        /**
         * @description The attribute `provider`, with or without the line feed that the kernel ends it with. `sev_guest` for snp,
         *     `tdx_guest` for tdx; that of another TEE is 400 `type_mismatch`.
         * @enum {string}
         */
        readonly ConfigfsTsmProvider: "sev_guest" | "sev_guest\n" | "tdx_guest" | "tdx_guest\n" | "arm_cca_guest" | "arm_cca_guest\n";
        readonly Decision: {
            /** @description Only the literal `allow` releases anything. */
            readonly decision: components["schemas"]["Outcome"];
            /**
             * @description UUID, version 7.
             * @example 019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11
             */
            readonly decisionId: string;
            /** @description When the service decided. `at` does not change it. */
            readonly decidedAt: components["schemas"]["Instant"];
            /** @description The instant judged. That of the decision, unless the request names one. */
            readonly at: components["schemas"]["Instant"];
            /** @description Earliest end of anything that the decision rests on. */
            readonly validUntil: components["schemas"]["Instant"];
            /** @description Whether the request named the instant. Such a decision is for audits. */
            readonly historical: boolean;
            /** @description Whether the same request may later be judged otherwise. */
            readonly retryable: boolean;
            readonly evidence: {
                readonly type: components["schemas"]["EvidenceType"];
                /** @description Identity of the evidence, the same in native form and dialect. */
                readonly sha256: components["schemas"]["Sha256"];
            };
            readonly trust: components["schemas"]["Trust"];
            /** @description What each policy made of the evidence, in the order of the request. */
            readonly policies: readonly components["schemas"]["PolicyResult"][];
            /** @description Everything that was compared, in that order. */
            readonly checks: readonly components["schemas"]["Check"][];
            /** @description Codes of failed and undecided checks, the most important first. */
            readonly reasons: readonly components["schemas"]["CheckId"][];
            readonly claims: components["schemas"]["Claims"];
            /**
             * @description What this verification proves, under the names that Azure Attestation gives the claims, for policies that were
             *     written for its tokens. `absent` lists what only Azure Attestation can state. Null where no hardware was proven.
             */
            readonly maaView: ({
                readonly absent?: readonly string[];
            } & {
                readonly [key: string]: unknown;
            }) | null;
            /** @description What several routes say of one TEE, claim by claim. Null where there was one route only. */
            readonly crossCheck: components["schemas"]["CrossCheck"] | null;
            /** @description Certificates and revocation lists that the decision rests on. */
            readonly endorsements: readonly components["schemas"]["UsedEndorsement"][];
            readonly freshness: components["schemas"]["Freshness"];
            /** @description The bound key, null without one. */
            readonly binding: {
                /**
                 * @description RFC 7638 SHA-256 thumbprint, base64url.
                 * @example NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs
                 */
                readonly jkt: string;
            } | null;
            /** @description This version judges by no shadow policies. */
            readonly shadow: null;
            /** @description This version signs no receipts. */
            readonly receipt: null;
        };
        readonly CrossCheck: {
            readonly routes: readonly ("hardware" | "maa" | "ita")[];
            /** @description Whether all are about the same TEE, and no claim differs. */
            readonly agree: boolean;
            /** @description Claims of which the routes say different things, the first 64 of them. */
            readonly differences: readonly {
                /** @example snp.measurement */
                readonly claim: string;
                /** @description What each route says, by its name. */
                readonly values: {
                    readonly [key: string]: unknown;
                };
            }[];
            /** @description How many more claims differ than are listed. */
            readonly differencesOmitted: number;
            /** @description Claims of which each route says the same. */
            readonly equal: readonly string[];
            /** @description Claims that only one route makes, or that are about different moments. */
            readonly notComparable: readonly string[];
        };
        /** @enum {string} */
        readonly Outcome: "allow" | "deny" | "indeterminate";
        /** @enum {string} */
        readonly EvidenceType: "snp" | "tdx" | "az-snp-vtpm" | "az-tdx-vtpm" | "maa-token" | "ita-token";
        /**
         * @description SHA-256 in hex.
         * @example 003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463
         */
        readonly Sha256: string;
        /** @description Trust tiers and vectors of AR4SI (draft-ietf-rats-ar4si). */
        readonly Trust: {
            readonly status: components["schemas"]["TrustTier"];
            /** @description One appraisal for each part that was judged. */
            readonly submods: {
                readonly hardware?: components["schemas"]["TrustSubmodule"];
                readonly vtpm?: components["schemas"]["TrustSubmodule"];
                readonly maa?: components["schemas"]["TrustSubmodule"];
                readonly ita?: components["schemas"]["TrustSubmodule"];
            };
        };
        /** @enum {string} */
        readonly TrustTier: "none" | "affirming" | "warning" | "contraindicated";
        readonly TrustSubmodule: {
            readonly status: components["schemas"]["TrustTier"];
            readonly vector: {
                readonly "instance-identity"?: components["schemas"]["TrustClaim"];
                readonly configuration?: components["schemas"]["TrustClaim"];
                readonly executables?: components["schemas"]["TrustClaim"];
                readonly "file-system"?: components["schemas"]["TrustClaim"];
                readonly hardware?: components["schemas"]["TrustClaim"];
                readonly "runtime-opaque"?: components["schemas"]["TrustClaim"];
                readonly "storage-opaque"?: components["schemas"]["TrustClaim"];
                readonly "sourced-data"?: components["schemas"]["TrustClaim"];
            };
        };
        /**
         * @description 2 to 31 affirming, 32 to 95 warning, 96 to 127 contraindicated, -1 to 1 none.
         * @example 2
         */
        readonly TrustClaim: number;
        readonly PolicyResult: {
            readonly id: components["schemas"]["PolicyId"];
            readonly version: number;
            /** @description Digest of the policy text that was evaluated. */
            readonly sha256: components["schemas"]["Sha256"];
            readonly outcome: components["schemas"]["Outcome"];
            /** @description Ids of the policy's own checks that hold. */
            readonly matched: readonly string[];
            /** @description Ids of the policy's own checks that do not. */
            readonly unmatched: readonly string[];
        };
        /** @description One thing that was compared. */
        readonly Check: {
            readonly id: components["schemas"]["CheckId"];
            /**
             * @description `warn`: a finding that is tolerated. `unavailable`: an endorsement or service could not be had. `skipped`:
             *     depends on a check that failed; unless `checks=all`, all that were skipped for the same reason are listed as
             *     one. `not_configured`: the policy does not ask for it. A check that did not run never counts as passed.
             * @enum {string}
             */
            readonly result: "pass" | "fail" | "warn" | "skipped" | "not_configured" | "unavailable";
            /**
             * @description JSON pointer into the request, in its native form.
             * @example /evidence/hclReport
             */
            readonly about: string;
            /**
             * @description The value that passes. Null where there is no single value, or the value is not verified. A list of more than 8 is
             *     shown as its number.
             */
            readonly expected: unknown;
            /**
             * @description The value that was found. Null where there is no single value, or the value is not verified. A list of more than 8 is shown
             *     as its number.
             */
            readonly actual: unknown;
            /**
             * @description One sentence for people.
             * @example the key certificate has signed the report
             */
            readonly detail: string;
            /**
             * @description One sentence on what the operator, the guest's owner or the caller can do. Null where the check passed or did
             *     not run.
             * @example The guest's owner should launch it with debugging off (bit 19 of the guest policy clear).
             */
            readonly remedy: string | null;
            /** @description Whether a waiver of `policy` made the finding a warning. */
            readonly waived: boolean;
            /** @description Id of the policy whose check this is, or that changed its result; null for base checks. */
            readonly policy: string | null;
        };
        /**
         * @description Id of a check; the reason code when it fails. Ordered by importance.
         * @enum {string}
         */
        readonly CheckId: "internal_error" | "deadline" | "clock" | "cert_untrusted" | "cert_signature" | "cert_algorithm" | "cert_not_ca" | "cert_path" | "cert_role" | "cert_extension" | "cert_validity" | "cert_revoked" | "crl_invalid" | "crl_issuer" | "snp_key_kind" | "snp_product" | "snp_product_refused" | "snp_chip_id" | "snp_tcb_cert" | "snp_signature" | "snp_debug" | "snp_migration_agent" | "snp_vmpl" | "snp_tcb_order" | "snp_tcb_low" | "snp_provisional" | "snp_mitigation" | "snp_id_key" | "snp_measurement" | "snp_host_data" | "snp_report_data" | "snp_platform_smt_enabled" | "snp_platform_tsme_enabled" | "snp_platform_ecc_enabled" | "snp_platform_rapl_disabled" | "snp_platform_ciphertext_hiding_dram_enabled" | "snp_platform_alias_check_complete" | "snp_platform_iommu_write_safe" | "snp_platform_tio_enabled" | "snp_platform_unknown" | "tdx_signature" | "tdx_qe_vendor" | "tdx_qe_binding" | "tdx_qe_report_signature" | "tdx_qe_identity" | "tdx_qe_debug" | "tdx_qe_svn" | "tdx_qe_attributes" | "tdx_report_mismatch" | "tdx_tcb_info" | "tdx_tcb_level_unsupported" | "tdx_tcb_status" | "tdx_tcb_date" | "tdx_module" | "tdx_debug" | "tdx_attributes" | "tdx_xfam" | "tdx_seam_attributes" | "tdx_platform_id" | "tdx_service_td" | "tdx_measurement" | "tdx_report_data" | "collateral_not_yet" | "hardware_missing" | "hcl_binding" | "hcl_duplicate" | "hcl_claims" | "hcl_ak_missing" | "hcl_ak_weak" | "hcl_ak_mismatch" | "ak_cert_untrusted" | "hcl_paravisor" | "hcl_reference" | "tpm_signature" | "tpm_weak_signature" | "tpm_magic" | "tpm_not_quote" | "tpm_weak_bank" | "tpm_pcr_selection" | "tpm_pcr_digest" | "tpm_pcr_not_quoted" | "tpm_pcr" | "tpm_reset" | "eventlog_replay" | "eventlog_order" | "eventlog_unverified" | "eventlog_missing" | "secure_boot" | "secure_boot_unknown" | "token_alg" | "token_key" | "token_signature" | "token_time" | "token_lifetime" | "token_issuer" | "token_issuer_policy" | "token_audience" | "token_claim_type" | "token_debug" | "token_debug_unknown" | "token_compliance" | "maa_tcb_status" | "ita_tcb_status" | "ita_policy" | "ita_debug" | "disagreement" | "route_missing" | "nonce_mismatch" | "nonce_used" | "nonce_expired" | "nonce_scope" | "nonce_missing" | "nonce_stale" | "binding_missing" | "no_policy" | "policy_evidence_type" | "rule_not_met" | "reference_not_applicable" | "claim_missing" | "claim_type" | "release_token_stale" | "release_other_vm" | "release_key_unbound" | "release_refused" | "release_warning" | "vcek_unavailable" | "crl_stale" | "crl_unavailable" | "crl_rollback" | "collateral_unavailable" | "collateral_stale" | "collateral_rollback" | "jwks_unavailable" | "jwks_invalid" | "jwks_stale" | "route_unavailable" | "nonce_store" | "release_unavailable" | "audit_unavailable" | "snp_product_advisory" | "snp_tcb_floor_missing" | "hcl_paravisor_unknown" | "collateral_unconfirmed" | "crl_unconfirmed";
        /**
         * @description Claims from verified bytes, by the part of the evidence that makes them. Null where the evidence has no such part,
         *     or where a signature, chain or binding under it did not verify.
         */
        readonly Claims: {
            readonly snp: components["schemas"]["SnpClaims"] | null;
            readonly tdx: components["schemas"]["TdxClaims"] | null;
            readonly hcl: components["schemas"]["HclClaims"] | null;
            readonly tpm: components["schemas"]["TpmClaims"] | null;
            readonly maa: components["schemas"]["TokenClaims"] | null;
            readonly ita: components["schemas"]["TokenClaims"] | null;
        };
        /** @description What another verifier's token says. */
        readonly TokenClaims: {
            readonly issuer: string;
            /** @description `x-ms-attestation-type` of the token itself, or `attester_type`. */
            readonly attestationType: string;
            /** @description `x-ms-policy-hash`. */
            readonly policyHash: string | null;
            /** @description The payload, as issued. */
            readonly claims: {
                readonly [key: string]: unknown;
            };
        };
        /** @description Fields of the ATTESTATION_REPORT (AMD 56860). */
        readonly SnpClaims: {
            /**
             * @description Version of the report.
             * @example 3
             */
            readonly version: number;
            /** @enum {string} */
            readonly product: "Milan" | "Genoa" | "Turin";
            /**
             * @description AMD numbers the microcode of each part by itself.
             * @enum {string}
             */
            readonly part: "Milan" | "Milan-X" | "Genoa" | "Genoa-X" | "Bergamo-Siena" | "Turin" | "Turin-Dense" | "unknown";
            /** @description Absent in version 2 reports. */
            readonly cpuid?: {
                readonly family: number;
                readonly model: number;
                readonly stepping: number;
            };
            /** @description Versions of the SEV firmware, as major.minor.build. */
            readonly firmware: {
                /** @example 1.55.29 */
                readonly current: string;
                /** @example 1.55.29 */
                readonly committed: string;
            };
            /** @description Mitigation vectors, in hex with 0x. Version 5 reports only. */
            readonly mitigation?: {
                readonly current: string;
                readonly launch: string;
            };
            /** @enum {string} */
            readonly signingKey: "vcek" | "vlek";
            readonly vmpl: number;
            readonly guestSvn: number;
            /** @description Guest POLICY. */
            readonly policy: {
                readonly abiMajor: number;
                readonly abiMinor: number;
                readonly smt: boolean;
                readonly migrateMa: boolean;
                readonly debug: boolean;
                readonly singleSocket: boolean;
                readonly cxlAllow: boolean;
                readonly memAes256Xts: boolean;
                readonly raplDis: boolean;
                readonly ciphertextHidingDram: boolean;
                readonly pageSwapDisable: boolean;
            };
            /** @description PLATFORM_INFO. */
            readonly platformInfo: {
                readonly smtEnabled: boolean;
                readonly tsmeEnabled: boolean;
                readonly eccEnabled: boolean;
                readonly raplDisabled: boolean;
                readonly ciphertextHidingDramEnabled: boolean;
                readonly aliasCheckComplete: boolean;
                readonly iommuWriteSafe: boolean;
                readonly tioEnabled: boolean;
                /** @description Numbers of the set bits that have no name here. */
                readonly unknownBits: readonly number[];
            };
            readonly tcb: {
                readonly current: components["schemas"]["SnpTcb"];
                readonly committed: components["schemas"]["SnpTcb"];
                readonly reported: components["schemas"]["SnpTcb"];
                readonly launch: components["schemas"]["SnpTcb"];
            };
            readonly authorKeyEnabled: boolean;
            /** @description 48 bytes. */
            readonly measurement: components["schemas"]["Hex"];
            /** @description 32 bytes. */
            readonly hostData: components["schemas"]["Hex"];
            /** @description 48 bytes. */
            readonly idKeyDigest: components["schemas"]["Hex"];
            /** @description 48 bytes. */
            readonly authorKeyDigest: components["schemas"]["Hex"];
            /** @description 32 bytes. */
            readonly reportId: components["schemas"]["Hex"];
            /** @description 32 bytes. */
            readonly reportIdMa: components["schemas"]["Hex"];
            /** @description 64 bytes. */
            readonly chipId: components["schemas"]["Hex"];
            /**
             * @description The cloud provider that the VLEK was issued to, as its certificate names it. Absent under a VCEK.
             * @example cloud.example
             */
            readonly cspId?: string;
            /** @description 64 bytes. */
            readonly reportData: components["schemas"]["Hex"];
            /** @description 16 bytes. */
            readonly familyId: components["schemas"]["Hex"];
            /** @description 16 bytes. */
            readonly imageId: components["schemas"]["Hex"];
        };
        /** @description TCB_VERSION by component. */
        readonly SnpTcb: {
            /** @description On Turin only. */
            readonly fmc?: number;
            readonly bootloader: number;
            readonly tee: number;
            readonly snp: number;
            /** @example 219 */
            readonly microcode: number;
        };
        /** @description Fields of the TD quote, and what Intel's collateral says of its platform. */
        readonly TdxClaims: {
            /** @enum {integer} */
            readonly quoteVersion: 4 | 5;
            /** @description 48 bytes. */
            readonly mrtd: components["schemas"]["Hex"];
            /** @description RTMR 0 to 3, 48 bytes each. Behind a paravisor they measure the paravisor, not the guest. */
            readonly rtmr: readonly components["schemas"]["Hex"][];
            /** @description 48 bytes. */
            readonly mrConfigId: components["schemas"]["Hex"];
            /** @description 48 bytes. */
            readonly mrOwner: components["schemas"]["Hex"];
            /** @description 48 bytes. */
            readonly mrOwnerConfig: components["schemas"]["Hex"];
            /** @description 48 bytes. */
            readonly mrSeam: components["schemas"]["Hex"];
            /** @description 48 bytes. */
            readonly mrSignerSeam: components["schemas"]["Hex"];
            /** @description 48 bytes, of TD 1.5 bodies only. */
            readonly mrServiceTd?: components["schemas"]["Hex"];
            /** @description 16 bytes. */
            readonly teeTcbSvn: components["schemas"]["Hex"];
            /** @description TDATTRIBUTES by bit. */
            readonly tdAttributes: {
                readonly debug: boolean;
                readonly septVeDisable: boolean;
                readonly migratable: boolean;
                readonly pks: boolean;
                readonly keyLocker: boolean;
                readonly perfmon: boolean;
                readonly icssd: boolean;
                readonly lass: boolean;
                readonly tpa: boolean;
            };
            /** @description 8 bytes as they stand. */
            readonly xfam: components["schemas"]["Hex"];
            /** @description 64 bytes. */
            readonly reportData: components["schemas"]["Hex"];
            /** @description 16 bytes, of the PCK certificate. It tells one platform from all others. */
            readonly ppid: components["schemas"]["Hex"];
            /** @description 6 bytes. */
            readonly fmspc: components["schemas"]["Hex"];
            /** @description 2 bytes. */
            readonly pceId: components["schemas"]["Hex"];
            readonly tcb: {
                /**
                 * @description Merged by Intel's table. Null where platform or module is behind every level.
                 * @example UpToDate
                 */
                readonly status: string | null;
                /** @description Null where the platform is behind every level. */
                readonly platformStatus: string | null;
                /** @description Null for modules without levels, and where the module is behind every level. */
                readonly moduleStatus: string | null;
                readonly qeStatus: string;
                /** @description The earliest of the three. Null without status. */
                readonly date: components["schemas"]["Instant"] | null;
                /** @description Of the TCB info. */
                readonly evaluationDataNumber: number;
                /** @description Of the QE identity. It can differ from `evaluationDataNumber` for a while after Intel raises both. */
                readonly qeEvaluationDataNumber: number;
                readonly advisories: readonly string[];
            };
        };
        /** @description What the Azure paravisor says about the VM. */
        readonly HclClaims: {
            /** @enum {string} */
            readonly reportType: "snp" | "tdx" | "tvm";
            /** @description Whether the paravisor is Azure's, and what says so. */
            readonly paravisor: {
                readonly known: boolean;
                /** @enum {string|null} */
                readonly by: "idKeyDigest" | "mrtd" | "maa" | "akCertificate" | null;
            };
            /** @description RFC 7638 SHA-256 thumbprint of `HCLAkPub`, base64url. */
            readonly akThumbprint: string;
            /** @description The 64 bytes of `user-data` in hex; null where the member is absent, and where it is not 64 bytes of hex. */
            readonly userData: string | null;
            /**
             * @description All members of `vm-configuration`, in camelCase. Absent where only the attestation key is certified, not the
             *     runtime claims.
             * @example {
             *       "secureBoot": true,
             *       "tpmEnabled": true
             *     }
             */
            readonly vmConfiguration?: {
                readonly [key: string]: unknown;
            };
        };
        /** @description What the vTPM quote says. */
        readonly TpmClaims: {
            /** @description Only what the signed selection names, by bank and index. */
            readonly pcrs: {
                readonly sha1?: components["schemas"]["PcrBankClaims"];
                readonly sha256?: components["schemas"]["PcrBankClaims"];
                readonly sha384?: components["schemas"]["PcrBankClaims"];
                readonly sha512?: components["schemas"]["PcrBankClaims"];
            };
            /**
             * @description 16 hex digits.
             * @example 1122334455667788
             */
            readonly firmwareVersion: string;
            readonly clock: {
                readonly resetCount: number;
                readonly restartCount: number;
                readonly safe: boolean;
            };
        };
        readonly PcrBankClaims: {
            readonly [key: string]: components["schemas"]["Hex"];
        };
        readonly UsedEndorsement: {
            /** @enum {string} */
            readonly kind: "vcek" | "vlek" | "ask" | "asvk" | "ark" | "crl" | "pck" | "pck-ca" | "sgx-root" | "tcb-signing" | "tcb-info" | "qe-identity" | "ak" | "ak-ca" | "token-key";
            /** @description Digest of the DER; of a token key, of its SubjectPublicKeyInfo. */
            readonly sha256: components["schemas"]["Sha256"];
            /** @enum {string} */
            readonly source: "evidence" | "cache" | "store" | "network";
            /** @description End of a certificate, next update of a revocation list; null for a key without certificate. */
            readonly notAfter: components["schemas"]["Instant"] | null;
            /**
             * @description `not_applicable`: nothing can revoke it. AMD gives all VEKs the serial number 0.
             * @enum {string}
             */
            readonly revocation: "good" | "revoked" | "unavailable" | "not_applicable";
        };
        readonly Freshness: {
            /** @description Places that held the nonce, or the nonce and key. */
            readonly bound: readonly ("snp.reportData" | "tdx.reportData" | "runtimeData.nonce" | "hcl.userData" | "tpm.extraData" | "maa.userData" | "maa.reportData" | "maa.runtimeNonce" | "maa.clientPayloadNonce" | "ita.userData" | "ita.heldData" | "ita.runtimeData" | "ita.verifierNonce")[];
            /**
             * @description How far a token's issuer is ahead of this service, where the token's times show it: positive where it was issued
             *     in the future, negative where it had expired, both within the leeway. Null where nothing shows.
             */
            readonly clockSkewSeconds: number | null;
        };
        readonly Inspection: {
            /**
             * @description Always false.
             * @constant
             */
            readonly verified: false;
            /** @example nothing here was verified */
            readonly notice: string;
            readonly type: components["schemas"]["EvidenceType"];
            readonly structures: readonly components["schemas"]["InspectedStructure"][];
        };
        readonly InspectedStructure: {
            /**
             * @description Name of the structure in its specification.
             * @example ATTESTATION_REPORT
             */
            readonly name: string;
            /**
             * @description JSON pointer into the evidence, in its native form.
             * @example /report
             */
            readonly about: string;
            /** @description Bytes. */
            readonly length: number;
            readonly fields: readonly components["schemas"]["InspectedField"][];
        };
        readonly InspectedField: {
            /** @example POLICY */
            readonly name: string;
            /**
             * @description Bytes from the start of the structure; null where it is not read at known places: JSON text, tokens,
             *     certificates and revocation lists, and `configuration`, which the evidence does not hold.
             */
            readonly offset: number | null;
            /** @description Bytes; null where `offset` is. */
            readonly length: number | null;
            /**
             * @description The decoded value; bytes in hex. Of an event of an event log `index`, `text`, which is null where the data is
             *     no text and cut where it is long, `dataLength` in bytes, and `digests` by algorithm.
             */
            readonly value: unknown;
            /** @example debugging is not allowed */
            readonly meaning: string | null;
        };
        readonly ChallengeRequest: {
            readonly audience?: components["schemas"]["Audience"];
            readonly policy?: components["schemas"]["PolicyId"];
            readonly evidenceType?: components["schemas"]["EvidenceType"];
        };
        readonly Challenge: {
            /** @description 32 bytes, base64url without padding. */
            readonly nonce: string;
            readonly expiresAt: components["schemas"]["Instant"];
        };
        readonly Liveness: {
            readonly live: boolean;
            /** @description What is wrong, where the process should be started again. */
            readonly problems?: readonly string[];
        };
        readonly Readiness: {
            readonly ready: boolean;
            readonly problems: readonly string[];
        };
        /** @description A problem document (RFC 9457). There is no decision in it. */
        readonly Problem: {
            /**
             * @description `urn:veritee:problem:` and the code.
             * @example urn:veritee:problem:encoding
             */
            readonly type: string;
            /** @example Malformed request */
            readonly title: string;
            readonly status: number;
            /** @example the value is null, not a string */
            readonly detail: string;
            readonly code: components["schemas"]["ProblemCode"];
            /**
             * @description JSON pointer (RFC 6901) to the member of the request that the code is about, where known. For a
             *     problem that is found after a dialect was converted, the pointer is into the native form.
             * @example /evidence/report
             */
            readonly pointer?: string;
            /** @description Id of the request in the log. */
            readonly requestId?: string;
        };
        /** @enum {string} */
        readonly ProblemCode: "schema" | "unknown_property" | "duplicate_key" | "forbidden_key" | "too_complex" | "encoding" | "type_mismatch" | "type_unsupported" | "url_not_allowed" | "nonce" | "at_not_enabled" | "policy_unknown" | "snp_format" | "snp_reserved" | "snp_policy" | "tdx_format" | "tdx_trailing" | "tdx_not_a_quote" | "hcl_format" | "hcl_hash_type" | "tpm_format" | "eventlog_format" | "eventlog_limit" | "cert_format" | "cert_chain" | "token_format" | "token_header" | "token_claim" | "unauthorized" | "forbidden" | "not_found" | "method_not_allowed" | "not_acceptable" | "evidence_not_kept" | "body_too_large" | "unsupported_media_type" | "rate_limited" | "headers_too_large" | "overloaded" | "clock" | "internal_error";
    };
    responses: {
        /**
         * @description The request is malformed. Nothing was judged; `code` says why and `pointer` where. `too_complex`: more than 32
         *     levels, 10 000 items of one array or members of one object, 20 000 values in all, 256 bytes of a member's name,
         *     262 144 characters of all names, or a string longer than an event log of `limits.eventLogBytes` is in base64
         *     (1 MiB where that is less).
         */
        readonly Malformed: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No caller of the configuration sent this (`unauthorized`). */
        readonly Unauthorized: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The host name is not served, or the caller lacks the role, or may not name this policy or audience
         *     (`forbidden`).
         */
        readonly Forbidden: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The host name is not served (`forbidden`): without callers only those of loopback are, unless `listen.insecure`
         *     is set.
         */
        readonly HostRefused: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Nothing is at this path (`not_found`), as where a base URL has a path of its own. */
        readonly NotFound: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The path does not have this method; or the call needs a role, and was not made over HTTP/1.1
         *     (`method_not_allowed`).
         */
        readonly MethodNotAllowed: {
            headers: {
                readonly Allow: components["headers"]["Allow"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description No answer of the media type asked for exists (`not_acceptable`). */
        readonly NotAcceptable: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request did not arrive in time (`schema`). The connection is closed. */
        readonly RequestTimeout: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is over `limits.bodyBytes` (`body_too_large`). */
        readonly BodyTooLarge: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not plain `application/json`, or it is compressed (`unsupported_media_type`). */
        readonly UnsupportedMediaType: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Too many requests of this caller or address (`rate_limited`). */
        readonly RateLimited: {
            headers: {
                readonly "Retry-After": components["headers"]["RetryAfter"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The headers are too large, or too many (`headers_too_large`). */
        readonly HeadersTooLarge: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A fault of the service (`internal_error`). Nothing was decided. */
        readonly InternalError: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service has no room for the request (`overloaded`). */
        readonly Overloaded: {
            headers: {
                readonly "Retry-After": components["headers"]["RetryAfter"];
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /**
         * @description Seconds after which the same request may be answered otherwise.
         * @example 5
         */
        readonly RetryAfter: number;
        /**
         * @description Methods of the path. Absent where HTTP has no such method, or the version of HTTP is not served.
         * @example POST
         */
        readonly Allow: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly verifyEvidence: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description `true` also gives the decision as the HTTP status, for pipelines that read only that: deny and
                 *     historical are 403, indeterminate is 503 with Retry-After. The body is the same.
                 * @example true
                 */
                readonly enforce?: boolean;
                /**
                 * @description `all` lists every skipped check. Without it, all checks that were skipped for the same reason are
                 *     listed as one.
                 * @example all
                 */
                readonly checks?: "all";
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["VerifyRequest"];
            };
        };
        readonly responses: {
            /**
             * @description The request was judged. Retry-After where the decision is indeterminate and the same request may later be
             *     judged otherwise.
             */
            readonly 200: {
                headers: {
                    readonly "Retry-After": components["headers"]["RetryAfter"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Decision"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /**
             * @description The host name is not served, or the caller lacks the role, or may not name this policy, audience or
             *     instant (a problem document); or, with `enforce=true`, the decision is deny or historical (the decision).
             */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Decision"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 406: components["responses"]["NotAcceptable"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 413: components["responses"]["BodyTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            readonly 429: components["responses"]["RateLimited"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            /**
             * @description The service has no room for the request (a problem document); or, with `enforce=true`, the decision is
             *     indeterminate (the decision).
             */
            readonly 503: {
                headers: {
                    readonly "Retry-After": components["headers"]["RetryAfter"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Decision"];
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly inspectEvidence: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Evidence"] | components["schemas"]["VerifyRequest"];
            };
        };
        readonly responses: {
            /** @description The decoded fields. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Inspection"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 413: components["responses"]["BodyTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            readonly 429: components["responses"]["RateLimited"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["Overloaded"];
        };
    };
    readonly issueChallenge: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ChallengeRequest"];
            };
        };
        readonly responses: {
            /** @description The challenge. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Challenge"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 413: components["responses"]["BodyTooLarge"];
            readonly 415: components["responses"]["UnsupportedMediaType"];
            readonly 429: components["responses"]["RateLimited"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            /**
             * @description The service has no room for the request (`overloaded`), or its clock jumped and cannot be relied on yet
             *     (`clock`).
             */
            readonly 503: {
                headers: {
                    readonly "Retry-After": components["headers"]["RetryAfter"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly live: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It is of use. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Liveness"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 403: components["responses"]["HostRefused"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            /** @description It should be started again, for the problems listed. */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Liveness"];
                };
            };
        };
    };
    readonly ready: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It should. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Readiness"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 403: components["responses"]["HostRefused"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            /** @description It should not, for the problems listed. */
            readonly 503: {
                headers: {
                    readonly "Retry-After": components["headers"]["RetryAfter"];
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    readonly metrics: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Prometheus text format. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/plain": string;
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 429: components["responses"]["RateLimited"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
        };
    };
    readonly openapi: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description An OpenAPI 3.1 document. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": unknown;
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 403: components["responses"]["HostRefused"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 429: components["responses"]["RateLimited"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["Overloaded"];
        };
    };
    readonly docs: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description HTML page. */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/html": string;
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 403: components["responses"]["HostRefused"];
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["RequestTimeout"];
            readonly 429: components["responses"]["RateLimited"];
            readonly 431: components["responses"]["HeadersTooLarge"];
            readonly 500: components["responses"]["InternalError"];
            readonly 503: components["responses"]["Overloaded"];
        };
    };
}
