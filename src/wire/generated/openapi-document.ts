// Generated from openapi.yaml by `npm run generate`. Not edited by hand.

import type { JsonObject } from '../../model/json.js';

/** openapi.yaml as a value: what Ajv reads, and what /openapi.json answers. */
export const OPENAPI_DOCUMENT: JsonObject = {
  "openapi": "3.1.0",
  "info": {
    "title": "veritee",
    "version": "0.1.0",
    "summary": "Is this confidential VM what it claims to be?",
    "description": "A relying party posts what a confidential VM produced and gets a decision with every check it rests on.\nOnly the literal `allow` releases anything.\n\n**Bytes** are base64url or base64 strings, padding optional, one alphabet per string. Where a certificate is due,\na string that starts with `-----BEGIN` is PEM, any other is DER. **Hex** is read in either case and written in\nlower case. **Instants** are RFC 3339 in UTC, with `Z`.\n\nRequest bodies are strict JSON: a duplicate member, an unknown member, a number that a double cannot hold (1e400, an\nunsafe integer, -0), a lone surrogate or a nesting of more than 32 levels is a 400, and nothing was judged. No member\nof a request names a URL. A member of an answer that is always `null` belongs to a capability that this version does\nnot have.\n",
    "license": {
      "name": "Apache-2.0",
      "identifier": "Apache-2.0"
    }
  },
  "servers": [
    {
      "url": "/",
      "description": "The service that serves this document"
    }
  ],
  "tags": [
    {
      "name": "attestation",
      "description": "Evidence in, decision out"
    },
    {
      "name": "operation",
      "description": "For those who run the service"
    }
  ],
  "security": [
    {
      "bearerKey": []
    },
    {
      "headerKey": []
    },
    {}
  ],
  "paths": {
    "/verify": {
      "post": {
        "operationId": "verifyEvidence",
        "tags": [
          "attestation"
        ],
        "summary": "Judges evidence under one or more policies",
        "description": "Every judged request is answered with 200, whatever the decision is, unless `enforce` is set.\nNeeds the role `verify`.\n",
        "parameters": [
          {
            "name": "enforce",
            "in": "query",
            "description": "`true` also gives the decision as the HTTP status, for pipelines that read only that: deny and\nhistorical are 403, indeterminate is 503 with Retry-After. The body is the same.\n",
            "schema": {
              "type": "boolean",
              "default": false
            },
            "example": true
          },
          {
            "name": "checks",
            "in": "query",
            "description": "`all` lists every skipped check. Without it, all checks that were skipped for the same reason are\nlisted as one.\n",
            "schema": {
              "type": "string",
              "enum": [
                "all"
              ]
            },
            "example": "all"
          }
        ],
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {
              "schema": {
                "$ref": "#/components/schemas/VerifyRequest"
              }
            }
          }
        },
        "responses": {
          "200": {
            "description": "The request was judged. Retry-After where the decision is indeterminate and the same request may later be\njudged otherwise.\n",
            "headers": {
              "Retry-After": {
                "$ref": "#/components/headers/RetryAfter"
              }
            },
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Decision"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "401": {
            "$ref": "#/components/responses/Unauthorized"
          },
          "403": {
            "description": "The host name is not served, or the caller lacks the role, or may not name this policy, audience or\ninstant (a problem document); or, with `enforce=true`, the decision is deny or historical (the decision).\n",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Decision"
                }
              },
              "application/problem+json": {
                "schema": {
                  "$ref": "#/components/schemas/Problem"
                }
              }
            }
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "406": {
            "$ref": "#/components/responses/NotAcceptable"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "413": {
            "$ref": "#/components/responses/BodyTooLarge"
          },
          "415": {
            "$ref": "#/components/responses/UnsupportedMediaType"
          },
          "429": {
            "$ref": "#/components/responses/RateLimited"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "description": "The service has no room for the request (a problem document); or, with `enforce=true`, the decision is\nindeterminate (the decision).\n",
            "headers": {
              "Retry-After": {
                "$ref": "#/components/headers/RetryAfter"
              }
            },
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Decision"
                }
              },
              "application/problem+json": {
                "schema": {
                  "$ref": "#/components/schemas/Problem"
                }
              }
            }
          }
        }
      }
    },
    "/inspect": {
      "post": {
        "operationId": "inspectEvidence",
        "tags": [
          "attestation"
        ],
        "summary": "Shows what evidence says, field by field, and verifies nothing",
        "description": "The body is what /verify takes as `evidence`, or a whole /verify body, of which only the evidence is shown. An\nattacker can choose every value that is shown: none of them is a reason to trust the guest. Of an event log the\nfirst 256 events are shown, and the others counted. Needs the role `verify`.\n",
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {
              "schema": {
                "oneOf": [
                  {
                    "$ref": "#/components/schemas/Evidence"
                  },
                  {
                    "$ref": "#/components/schemas/VerifyRequest"
                  }
                ]
              }
            }
          }
        },
        "responses": {
          "200": {
            "description": "The decoded fields.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Inspection"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "401": {
            "$ref": "#/components/responses/Unauthorized"
          },
          "403": {
            "$ref": "#/components/responses/Forbidden"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "413": {
            "$ref": "#/components/responses/BodyTooLarge"
          },
          "415": {
            "$ref": "#/components/responses/UnsupportedMediaType"
          },
          "429": {
            "$ref": "#/components/responses/RateLimited"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "$ref": "#/components/responses/Overloaded"
          }
        }
      }
    },
    "/challenges": {
      "post": {
        "operationId": "issueChallenge",
        "tags": [
          "attestation"
        ],
        "summary": "Makes a nonce that this service accepts once",
        "description": "Each member of the body limits what the nonce can be used for; an omitted one does not. Needs the role `verify`.\n",
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {
              "schema": {
                "$ref": "#/components/schemas/ChallengeRequest"
              }
            }
          }
        },
        "responses": {
          "200": {
            "description": "The challenge.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Challenge"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "401": {
            "$ref": "#/components/responses/Unauthorized"
          },
          "403": {
            "$ref": "#/components/responses/Forbidden"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "413": {
            "$ref": "#/components/responses/BodyTooLarge"
          },
          "415": {
            "$ref": "#/components/responses/UnsupportedMediaType"
          },
          "429": {
            "$ref": "#/components/responses/RateLimited"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "description": "The service has no room for the request (`overloaded`), or its clock jumped and cannot be relied on yet\n(`clock`).\n",
            "headers": {
              "Retry-After": {
                "$ref": "#/components/headers/RetryAfter"
              }
            },
            "content": {
              "application/problem+json": {
                "schema": {
                  "$ref": "#/components/schemas/Problem"
                }
              }
            }
          }
        }
      }
    },
    "/livez": {
      "get": {
        "operationId": "live",
        "tags": [
          "operation"
        ],
        "summary": "Whether the process is of use, or should be started again",
        "security": [],
        "responses": {
          "200": {
            "description": "It is of use.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Liveness"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "403": {
            "$ref": "#/components/responses/HostRefused"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "description": "It should be started again, for the problems listed.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Liveness"
                }
              }
            }
          }
        }
      }
    },
    "/readyz": {
      "get": {
        "operationId": "ready",
        "tags": [
          "operation"
        ],
        "summary": "Whether the service should get traffic",
        "security": [],
        "responses": {
          "200": {
            "description": "It should.",
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Readiness"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "403": {
            "$ref": "#/components/responses/HostRefused"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "description": "It should not, for the problems listed.",
            "headers": {
              "Retry-After": {
                "$ref": "#/components/headers/RetryAfter"
              }
            },
            "content": {
              "application/json": {
                "schema": {
                  "$ref": "#/components/schemas/Readiness"
                }
              }
            }
          }
        }
      }
    },
    "/metrics": {
      "get": {
        "operationId": "metrics",
        "tags": [
          "operation"
        ],
        "summary": "Counters and durations for Prometheus",
        "description": "Needs the role `metrics`.",
        "responses": {
          "200": {
            "description": "Prometheus text format.",
            "content": {
              "text/plain": {
                "schema": {
                  "type": "string"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "401": {
            "$ref": "#/components/responses/Unauthorized"
          },
          "403": {
            "$ref": "#/components/responses/Forbidden"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "429": {
            "$ref": "#/components/responses/RateLimited"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          }
        }
      }
    },
    "/openapi.json": {
      "get": {
        "operationId": "openapi",
        "tags": [
          "operation"
        ],
        "summary": "This document as JSON",
        "security": [],
        "responses": {
          "200": {
            "description": "An OpenAPI 3.1 document.",
            "content": {
              "application/json": {
                "schema": {
                  "description": "OpenAPI 3.1 document, not described further."
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "403": {
            "$ref": "#/components/responses/HostRefused"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "429": {
            "$ref": "#/components/responses/RateLimited"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "$ref": "#/components/responses/Overloaded"
          }
        }
      }
    },
    "/docs": {
      "get": {
        "operationId": "docs",
        "tags": [
          "operation"
        ],
        "summary": "This document as a page for people",
        "security": [],
        "responses": {
          "200": {
            "description": "HTML page.",
            "content": {
              "text/html": {
                "schema": {
                  "type": "string"
                }
              }
            }
          },
          "400": {
            "$ref": "#/components/responses/Malformed"
          },
          "403": {
            "$ref": "#/components/responses/HostRefused"
          },
          "404": {
            "$ref": "#/components/responses/NotFound"
          },
          "405": {
            "$ref": "#/components/responses/MethodNotAllowed"
          },
          "408": {
            "$ref": "#/components/responses/RequestTimeout"
          },
          "429": {
            "$ref": "#/components/responses/RateLimited"
          },
          "431": {
            "$ref": "#/components/responses/HeadersTooLarge"
          },
          "500": {
            "$ref": "#/components/responses/InternalError"
          },
          "503": {
            "$ref": "#/components/responses/Overloaded"
          }
        }
      }
    }
  },
  "components": {
    "securitySchemes": {
      "bearerKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer <key>`, a key whose SHA-256 the configuration lists under `callers`. Where no callers\nare configured, the service listens on loopback only and asks for no key.\n"
      },
      "headerKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key in a header of its own. A request that sends both headers has no key."
      }
    },
    "headers": {
      "RetryAfter": {
        "description": "Seconds after which the same request may be answered otherwise.",
        "schema": {
          "type": "integer",
          "minimum": 0
        },
        "example": 5
      },
      "Allow": {
        "description": "Methods of the path. Absent where HTTP has no such method, or the version of HTTP is not served.",
        "schema": {
          "type": "string"
        },
        "example": "POST"
      }
    },
    "responses": {
      "Malformed": {
        "description": "The request is malformed. Nothing was judged; `code` says why and `pointer` where. `too_complex`: more than 32\nlevels, 10 000 items of one array or members of one object, 20 000 values in all, 256 bytes of a member's name,\n262 144 characters of all names, or a string longer than an event log of `limits.eventLogBytes` is in base64\n(1 MiB where that is less).\n",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "Unauthorized": {
        "description": "No caller of the configuration sent this (`unauthorized`).",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "Forbidden": {
        "description": "The host name is not served, or the caller lacks the role, or may not name this policy or audience\n(`forbidden`).\n",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "HostRefused": {
        "description": "The host name is not served (`forbidden`): without callers only those of loopback are, unless `listen.insecure`\nis set.\n",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "NotFound": {
        "description": "Nothing is at this path (`not_found`), as where a base URL has a path of its own.",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "MethodNotAllowed": {
        "description": "The path does not have this method; or the call needs a role, and was not made over HTTP/1.1\n(`method_not_allowed`).\n",
        "headers": {
          "Allow": {
            "$ref": "#/components/headers/Allow"
          }
        },
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "NotAcceptable": {
        "description": "No answer of the media type asked for exists (`not_acceptable`).",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "RequestTimeout": {
        "description": "The request did not arrive in time (`schema`). The connection is closed.",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "BodyTooLarge": {
        "description": "The body is over `limits.bodyBytes` (`body_too_large`).",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "UnsupportedMediaType": {
        "description": "The body is not plain `application/json`, or it is compressed (`unsupported_media_type`).",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "RateLimited": {
        "description": "Too many requests of this caller or address (`rate_limited`).",
        "headers": {
          "Retry-After": {
            "$ref": "#/components/headers/RetryAfter"
          }
        },
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "HeadersTooLarge": {
        "description": "The headers are too large, or too many (`headers_too_large`).",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "InternalError": {
        "description": "A fault of the service (`internal_error`). Nothing was decided.",
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      },
      "Overloaded": {
        "description": "The service has no room for the request (`overloaded`).",
        "headers": {
          "Retry-After": {
            "$ref": "#/components/headers/RetryAfter"
          }
        },
        "content": {
          "application/problem+json": {
            "schema": {
              "$ref": "#/components/schemas/Problem"
            }
          }
        }
      }
    },
    "schemas": {
      "Bytes": {
        "type": "string",
        "description": "Bytes as base64url or base64, padding optional, one alphabet per string.",
        "examples": [
          "AAECAwQFBgcICQoLDA0ODw"
        ]
      },
      "Certificate": {
        "type": "string",
        "description": "A certificate. PEM where the string starts with `-----BEGIN`, else the bytes of its DER. PEM text holds\nnothing but its blocks and blank lines around them: LF or CRLF, lines of one length of up to 76 characters, the\nlast may be shorter; zeros after the DER in a block are dropped. PEM text of more than 32 KiB, a certificate of\nmore than 16 KiB, an object identifier of more than 32 arcs, and an extended key usage of more than 16 purposes\nare 400 `cert_format`.\n",
        "examples": [
          "MIIFQzCCAvegAwIBAgIBADBBBgkqhkiG9w0BAQow"
        ]
      },
      "HexInput": {
        "type": "string",
        "description": "Hex in either case, two digits a byte.",
        "examples": [
          "003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463"
        ]
      },
      "Hex": {
        "type": "string",
        "pattern": "^(?:[0-9a-f]{2})*$",
        "description": "Hex in lower case, two digits a byte.",
        "examples": [
          "003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463"
        ]
      },
      "Octets": {
        "type": "array",
        "maxItems": 10000,
        "description": "Bytes as a list of numbers.",
        "items": {
          "type": "integer",
          "minimum": 0,
          "maximum": 255
        },
        "examples": [
          [
            72,
            67,
            76,
            65
          ]
        ]
      },
      "Instant": {
        "type": "string",
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]{1,9})?Z$",
        "description": "RFC 3339 instant in UTC, with `Z`. Digits after the third of a second's fraction are dropped.",
        "examples": [
          "2026-01-15T12:00:00Z"
        ]
      },
      "PolicyId": {
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9-]{0,63}$",
        "description": "Id of a policy.",
        "examples": [
          "azure-cvm-baseline"
        ]
      },
      "Audience": {
        "type": "string",
        "minLength": 1,
        "maxLength": 512,
        "description": "Name of the relying party that the answer is for, usually its URL. It is never contacted.",
        "examples": [
          "https://gate.example"
        ]
      },
      "VerifyRequest": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "evidence"
        ],
        "properties": {
          "evidence": {
            "$ref": "#/components/schemas/Evidence"
          },
          "attestationResults": {
            "type": "array",
            "maxItems": 2,
            "items": {
              "$ref": "#/components/schemas/AttestationResult"
            },
            "description": "Other verifiers' tokens about the same TEE, at most one of each type, a token as evidence included. One that\nfails, that differs from what the evidence says, or that is about another TEE denies, also where its route\nis off.\n"
          },
          "nonce": {
            "type": "string",
            "description": "Bytes, 8 to 64 of them after decoding: the caller's own, or those of POST /challenges. They must not\nstart with the ASCII letters `veritee1` (400 `nonce`). TPM quotes hold 50 bytes, so for vTPM evidence\nwithout `binding` a longer nonce is 400 `nonce`.\n",
            "examples": [
              "q83vASNFZ4mrze8BI0VniQ"
            ]
          },
          "binding": {
            "$ref": "#/components/schemas/Binding"
          },
          "policy": {
            "$ref": "#/components/schemas/PolicySelection"
          },
          "audience": {
            "$ref": "#/components/schemas/Audience"
          },
          "at": {
            "description": "Historical instant at which to judge. 400 `at_not_enabled` in the future, or where it is not configured.\n",
            "$ref": "#/components/schemas/Instant"
          }
        },
        "dependentRequired": {
          "binding": [
            "nonce"
          ]
        }
      },
      "PolicySelection": {
        "description": "The policy, or several that must all allow. Absent, the configured default.",
        "oneOf": [
          {
            "$ref": "#/components/schemas/PolicyId"
          },
          {
            "type": "array",
            "minItems": 1,
            "maxItems": 8,
            "uniqueItems": true,
            "items": {
              "$ref": "#/components/schemas/PolicyId"
            }
          }
        ],
        "examples": [
          "azure-cvm-baseline",
          [
            "azure-cvm-baseline",
            "payments"
          ]
        ]
      },
      "Binding": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "jwk"
        ],
        "description": "A public key that the evidence must vouch for together with the nonce. What must then stand in the evidence\nis not the nonce but the 8 letters `veritee1` and SHA-256(\"veritee-bind-v1\" ‖ 0x00 ‖ nonce ‖ RFC 7638\nSHA-256 thumbprint), 40 bytes.\n",
        "properties": {
          "jwk": {
            "$ref": "#/components/schemas/PublicJwk"
          }
        }
      },
      "PublicJwk": {
        "description": "A public JWK (RFC 7517). Numbers and coordinates are base64url without padding, as RFC 7518 has them.\nA member of a private key is refused (400 `schema`).\n",
        "type": "object",
        "required": [
          "kty"
        ],
        "discriminator": {
          "propertyName": "kty",
          "mapping": {
            "RSA": "#/components/schemas/RsaPublicJwk",
            "EC": "#/components/schemas/EcPublicJwk",
            "OKP": "#/components/schemas/OkpPublicJwk"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/RsaPublicJwk"
          },
          {
            "$ref": "#/components/schemas/EcPublicJwk"
          },
          {
            "$ref": "#/components/schemas/OkpPublicJwk"
          }
        ]
      },
      "RsaPublicJwk": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "kty",
          "n",
          "e"
        ],
        "not": {
          "$ref": "#/components/schemas/HasPrivateMember"
        },
        "properties": {
          "kty": {
            "type": "string",
            "const": "RSA"
          },
          "n": {
            "type": "string",
            "description": "Modulus, 2048 to 8192 bits."
          },
          "e": {
            "type": "string",
            "description": "Public exponent.",
            "examples": [
              "AQAB"
            ]
          },
          "kid": {
            "$ref": "#/components/schemas/JwkText"
          },
          "use": {
            "$ref": "#/components/schemas/JwkText"
          },
          "alg": {
            "$ref": "#/components/schemas/JwkText"
          },
          "key_ops": {
            "$ref": "#/components/schemas/JwkOperations"
          },
          "ext": {
            "$ref": "#/components/schemas/JwkExtractable"
          }
        }
      },
      "EcPublicJwk": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "kty",
          "crv",
          "x",
          "y"
        ],
        "not": {
          "$ref": "#/components/schemas/HasPrivateMember"
        },
        "properties": {
          "kty": {
            "type": "string",
            "const": "EC"
          },
          "crv": {
            "type": "string",
            "enum": [
              "P-256",
              "P-384",
              "P-521"
            ]
          },
          "x": {
            "type": "string",
            "description": "Coordinate of the full length of the curve."
          },
          "y": {
            "type": "string",
            "description": "Coordinate of the full length of the curve."
          },
          "kid": {
            "$ref": "#/components/schemas/JwkText"
          },
          "use": {
            "$ref": "#/components/schemas/JwkText"
          },
          "alg": {
            "$ref": "#/components/schemas/JwkText"
          },
          "key_ops": {
            "$ref": "#/components/schemas/JwkOperations"
          },
          "ext": {
            "$ref": "#/components/schemas/JwkExtractable"
          }
        }
      },
      "OkpPublicJwk": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "kty",
          "crv",
          "x"
        ],
        "not": {
          "$ref": "#/components/schemas/HasPrivateMember"
        },
        "properties": {
          "kty": {
            "type": "string",
            "const": "OKP"
          },
          "crv": {
            "type": "string",
            "enum": [
              "Ed25519",
              "X25519"
            ]
          },
          "x": {
            "type": "string",
            "description": "Public key, 32 bytes."
          },
          "kid": {
            "$ref": "#/components/schemas/JwkText"
          },
          "use": {
            "$ref": "#/components/schemas/JwkText"
          },
          "alg": {
            "$ref": "#/components/schemas/JwkText"
          },
          "key_ops": {
            "$ref": "#/components/schemas/JwkOperations"
          },
          "ext": {
            "$ref": "#/components/schemas/JwkExtractable"
          }
        }
      },
      "JwkText": {
        "type": "string",
        "maxLength": 256,
        "description": "Not part of the thumbprint, and not looked at."
      },
      "JwkOperations": {
        "type": "array",
        "maxItems": 16,
        "description": "Not part of the thumbprint, and not looked at.",
        "items": {
          "type": "string",
          "maxLength": 64
        }
      },
      "JwkExtractable": {
        "type": "boolean",
        "description": "Web Crypto writes it. Not part of the thumbprint, and not looked at."
      },
      "HasPrivateMember": {
        "type": "object",
        "description": "Holds for a JWK with a member of a private or symmetric key (RFC 7518 section 6).",
        "anyOf": [
          {
            "required": [
              "d"
            ]
          },
          {
            "required": [
              "p"
            ]
          },
          {
            "required": [
              "q"
            ]
          },
          {
            "required": [
              "dp"
            ]
          },
          {
            "required": [
              "dq"
            ]
          },
          {
            "required": [
              "qi"
            ]
          },
          {
            "required": [
              "oth"
            ]
          },
          {
            "required": [
              "k"
            ]
          }
        ]
      },
      "Evidence": {
        "description": "What the confidential VM produced: in the members of its type, or, with `dialect`, in the shape in which\nguests in the field produce it. A `type` that this version does not judge is 400 `type_unsupported`, a\ndialect of another type, or bytes that are evidence of another type, 400 `type_mismatch`. An HCL report of\nanother TEE, which only its own fields tell, is 400 `hcl_format`.\n",
        "oneOf": [
          {
            "$ref": "#/components/schemas/NativeEvidence"
          },
          {
            "$ref": "#/components/schemas/DialectEvidence"
          }
        ]
      },
      "NativeEvidence": {
        "type": "object",
        "required": [
          "type"
        ],
        "discriminator": {
          "propertyName": "type",
          "mapping": {
            "snp": "#/components/schemas/SnpEvidence",
            "tdx": "#/components/schemas/TdxEvidence",
            "az-snp-vtpm": "#/components/schemas/AzSnpVtpmEvidence",
            "az-tdx-vtpm": "#/components/schemas/AzTdxVtpmEvidence",
            "maa-token": "#/components/schemas/MaaTokenEvidence",
            "ita-token": "#/components/schemas/ItaTokenEvidence"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/SnpEvidence"
          },
          {
            "$ref": "#/components/schemas/TdxEvidence"
          },
          {
            "$ref": "#/components/schemas/AzSnpVtpmEvidence"
          },
          {
            "$ref": "#/components/schemas/AzTdxVtpmEvidence"
          },
          {
            "$ref": "#/components/schemas/MaaTokenEvidence"
          },
          {
            "$ref": "#/components/schemas/ItaTokenEvidence"
          }
        ]
      },
      "DialectEvidence": {
        "type": "object",
        "required": [
          "dialect"
        ],
        "discriminator": {
          "propertyName": "dialect",
          "mapping": {
            "trustee": "#/components/schemas/TrusteeEvidence",
            "maa": "#/components/schemas/MaaRequestEvidence",
            "extended-report": "#/components/schemas/ExtendedReportEvidence",
            "configfs-tsm": "#/components/schemas/ConfigfsTsmEvidence",
            "ita": "#/components/schemas/ItaRequestEvidence"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/TrusteeEvidence"
          },
          {
            "$ref": "#/components/schemas/MaaRequestEvidence"
          },
          {
            "$ref": "#/components/schemas/ExtendedReportEvidence"
          },
          {
            "$ref": "#/components/schemas/ConfigfsTsmEvidence"
          },
          {
            "$ref": "#/components/schemas/ItaRequestEvidence"
          }
        ]
      },
      "SnpEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "report"
        ],
        "description": "An AMD SEV-SNP attestation report.",
        "properties": {
          "type": {
            "type": "string",
            "const": "snp"
          },
          "report": {
            "description": "ATTESTATION_REPORT, 1184 bytes.",
            "$ref": "#/components/schemas/Bytes"
          },
          "runtimeData": {
            "description": "Bytes whose SHA-256 is in REPORT_DATA, followed by zeros: JSON with the nonce in `nonce` (base64url) and\na bound key among `keys`, or Azure runtime claims.\n",
            "$ref": "#/components/schemas/Bytes"
          },
          "endorsements": {
            "$ref": "#/components/schemas/SnpEndorsements"
          }
        }
      },
      "AzSnpVtpmEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "hclReport",
          "tpmQuote"
        ],
        "description": "An Azure confidential VM on SEV-SNP, through the vTPM of its paravisor.",
        "properties": {
          "type": {
            "type": "string",
            "const": "az-snp-vtpm"
          },
          "hclReport": {
            "description": "Report of the paravisor as read from NV index 0x01400001, zero filling included or not.",
            "$ref": "#/components/schemas/Bytes"
          },
          "tpmQuote": {
            "$ref": "#/components/schemas/TpmQuote"
          },
          "endorsements": {
            "$ref": "#/components/schemas/SnpEndorsements"
          },
          "akCertificate": {
            "$ref": "#/components/schemas/AkCertificate"
          },
          "akChain": {
            "$ref": "#/components/schemas/AkChain"
          }
        },
        "dependentRequired": {
          "akChain": [
            "akCertificate"
          ]
        }
      },
      "TdxEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "quote"
        ],
        "description": "A quote of an Intel TDX trust domain.",
        "properties": {
          "type": {
            "type": "string",
            "const": "tdx"
          },
          "quote": {
            "description": "TD quote of version 4 or 5, with certification data of type 6 that holds a PCK chain (type 5) of at most\n32 KiB. Zeros may follow its end. A TDREPORT, which has no signature, is 400 `tdx_not_a_quote`.\n",
            "$ref": "#/components/schemas/Bytes"
          },
          "runtimeData": {
            "description": "Bytes whose SHA-256 is in REPORTDATA, followed by zeros: JSON with the nonce in `nonce` (base64url) and a\nbound key among `keys`, or Azure runtime claims.\n",
            "$ref": "#/components/schemas/Bytes"
          },
          "collateral": {
            "$ref": "#/components/schemas/TdxCollateral"
          },
          "ccel": {
            "description": "Data of the event log (CCEL) of the domain, not the ACPI table that points to it: at most\n`limits.eventLogBytes`, and 4096 events.\n",
            "$ref": "#/components/schemas/Bytes"
          }
        }
      },
      "AzTdxVtpmEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "hclReport",
          "tdQuote",
          "tpmQuote"
        ],
        "description": "An Azure confidential VM on TDX, through the vTPM of its paravisor. Without `tdQuote` it is 400\n`tdx_not_a_quote`: the TDREPORT in the paravisor's report has no signature.\n",
        "properties": {
          "type": {
            "type": "string",
            "const": "az-tdx-vtpm"
          },
          "hclReport": {
            "description": "Report of the paravisor as read from NV index 0x01400001, zero filling included or not.",
            "$ref": "#/components/schemas/Bytes"
          },
          "tdQuote": {
            "description": "The quote that the metadata service made of the TDREPORT in `hclReport`.",
            "$ref": "#/components/schemas/Bytes"
          },
          "tpmQuote": {
            "$ref": "#/components/schemas/TpmQuote"
          },
          "collateral": {
            "$ref": "#/components/schemas/TdxCollateral"
          },
          "akCertificate": {
            "$ref": "#/components/schemas/AkCertificate"
          },
          "akChain": {
            "$ref": "#/components/schemas/AkChain"
          }
        },
        "dependentRequired": {
          "akChain": [
            "akCertificate"
          ]
        }
      },
      "AkCertificate": {
        "type": "string",
        "description": "Certificate of the vTPM's attestation key (NV index 0x01C101D0): PEM where the string starts with `-----BEGIN`,\nelse DER, zero filling included or not. It is judged whenever it is sent, and never replaces the\nhardware evidence.\n"
      },
      "AkChain": {
        "type": "string",
        "description": "PEM, at most 32 KiB: the issuer of the AK certificate first, the root last. The service fetches none of these\ncertificates.\n"
      },
      "TdxCollateral": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "tcb_info",
          "qe_identity",
          "tcb_info_signature",
          "qe_identity_signature",
          "tcb_info_issuer_chain",
          "qe_identity_issuer_chain",
          "pck_crl_issuer_chain",
          "pck_crl",
          "root_ca_crl"
        ],
        "description": "Intel's signed collateral for the platform of a quote. A part is replaced where the service has a newer one, or gets\none from Intel. If Intel cannot be asked, collateral that was issued within 48 hours counts, with the warning\n`collateral_unconfirmed`. Without it the service looks in the configured directory, in the cache and at Intel.\n",
        "properties": {
          "tcb_info": {
            "type": "string",
            "description": "The JSON that is signed, byte for byte: the value of `tcbInfo`."
          },
          "qe_identity": {
            "type": "string",
            "description": "The JSON that is signed, byte for byte: the value of `enclaveIdentity`."
          },
          "tcb_info_signature": {
            "description": "r and s, 64 bytes.",
            "$ref": "#/components/schemas/HexInput"
          },
          "qe_identity_signature": {
            "description": "r and s, 64 bytes.",
            "$ref": "#/components/schemas/HexInput"
          },
          "tcb_info_issuer_chain": {
            "$ref": "#/components/schemas/IntelChain"
          },
          "qe_identity_issuer_chain": {
            "$ref": "#/components/schemas/IntelChain"
          },
          "pck_crl_issuer_chain": {
            "$ref": "#/components/schemas/IntelChain"
          },
          "pck_crl": {
            "description": "DER of the list of the Platform or Processor CA.",
            "$ref": "#/components/schemas/HexInput"
          },
          "root_ca_crl": {
            "description": "DER of the list of the root.",
            "$ref": "#/components/schemas/HexInput"
          },
          "pck_certificate_chain": {
            "type": [
              "string",
              "null"
            ],
            "description": "PEM: the certificates of the quote once more, in the same order, as some clients send them. Others than\nthose of the quote are 400 `cert_chain`. Null is as if it were not there.\n"
          }
        }
      },
      "IntelChain": {
        "type": "string",
        "description": "PEM, at most 32 KiB: the signer, then the root, and no other."
      },
      "SnpEndorsements": {
        "type": "object",
        "additionalProperties": false,
        "description": "Certificates that come with the evidence. Those that are sent are judged, and never replaced by another source.\nOmitted ones are looked for in the configured directory, in the cache and at the vendor.\n",
        "not": {
          "anyOf": [
            {
              "required": [
                "certificateTable",
                "vek"
              ]
            },
            {
              "required": [
                "certificateTable",
                "chain"
              ]
            }
          ]
        },
        "properties": {
          "vek": {
            "description": "VCEK or VLEK.",
            "$ref": "#/components/schemas/Certificate"
          },
          "chain": {
            "type": "string",
            "description": "PEM, at most 32 KiB, two blocks: ASK or ASVK, then ARK."
          },
          "certificateTable": {
            "description": "Certificate table of the SNP extended report (GHCB, SNP_EXT_GUEST_REQUEST), of at most 64 entries. Not\nbeside `vek` or `chain`.\n",
            "$ref": "#/components/schemas/Bytes"
          },
          "crls": {
            "type": "array",
            "maxItems": 8,
            "description": "Revocation lists of AMD, each the bytes of its DER.",
            "items": {
              "$ref": "#/components/schemas/Bytes"
            }
          }
        }
      },
      "TpmQuote": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "message",
          "signature",
          "pcrs"
        ],
        "description": "A TPM 2.0 quote and the PCR values that it is about.",
        "properties": {
          "message": {
            "description": "TPMS_ATTEST without size prefix.",
            "$ref": "#/components/schemas/Bytes"
          },
          "signature": {
            "description": "The bare RSA signature where its length is that of the modulus, else a TPMT_SIGNATURE.\n",
            "$ref": "#/components/schemas/Bytes"
          },
          "pcrs": {
            "$ref": "#/components/schemas/PcrValues"
          }
        }
      },
      "PcrValues": {
        "type": "object",
        "additionalProperties": false,
        "description": "Exactly the values that the signed selection names, by bank and index.",
        "properties": {
          "sha1": {
            "$ref": "#/components/schemas/PcrBankValues"
          },
          "sha256": {
            "$ref": "#/components/schemas/PcrBankValues"
          },
          "sha384": {
            "$ref": "#/components/schemas/PcrBankValues"
          },
          "sha512": {
            "$ref": "#/components/schemas/PcrBankValues"
          }
        },
        "examples": [
          {
            "sha256": {
              "0": "003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463"
            }
          }
        ]
      },
      "PcrBankValues": {
        "type": "object",
        "additionalProperties": false,
        "description": "Values by index. An index is decimal without leading zeros, 0 to 23.",
        "patternProperties": {
          "^(?:[0-9]|1[0-9]|2[0-3])$": {
            "$ref": "#/components/schemas/HexInput"
          }
        }
      },
      "MaaTokenEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "token"
        ],
        "description": "A token of Microsoft Azure Attestation, where the token is all that the caller has, or beside evidence.",
        "properties": {
          "type": {
            "type": "string",
            "const": "maa-token"
          },
          "token": {
            "$ref": "#/components/schemas/Token"
          }
        }
      },
      "ItaTokenEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "token"
        ],
        "description": "A token of Intel Trust Authority, where the token is all that the caller has, or beside evidence.",
        "properties": {
          "type": {
            "type": "string",
            "const": "ita-token"
          },
          "token": {
            "$ref": "#/components/schemas/Token"
          }
        }
      },
      "Token": {
        "type": "string",
        "description": "JWS Compact Serialization, 65536 characters at most (400 `token_format`). `jku`, `x5u`, `jwk` and `x5c` of its\nheader are never followed or used.\n",
        "examples": [
          "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL3NoYXJlZGxhYi5sYWIuYXR0ZXN0LmF6dXJlLm5ldCJ9.c2ln"
        ]
      },
      "AttestationResult": {
        "type": "object",
        "required": [
          "type"
        ],
        "discriminator": {
          "propertyName": "type",
          "mapping": {
            "maa-token": "#/components/schemas/MaaTokenEvidence",
            "ita-token": "#/components/schemas/ItaTokenEvidence"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/MaaTokenEvidence"
          },
          {
            "$ref": "#/components/schemas/ItaTokenEvidence"
          }
        ]
      },
      "TrusteeEvidence": {
        "type": "object",
        "required": [
          "dialect"
        ],
        "description": "The JSON that guests of confidential-containers/trustee send, versions 0, 1 and 2. PCRs are those of the\nSHA-256 bank, 0 to 23 in order. `version` names the shape only: it never weakens a check.\n",
        "properties": {
          "dialect": {
            "type": "string",
            "const": "trustee"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/TrusteeEvidenceV0"
          },
          {
            "$ref": "#/components/schemas/TrusteeEvidenceV1"
          },
          {
            "$ref": "#/components/schemas/TrusteeTdxEvidenceV0"
          },
          {
            "$ref": "#/components/schemas/TrusteeTdxEvidenceV1"
          }
        ]
      },
      "TrusteeEvidenceV0": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "az-snp-vtpm"
          },
          "dialect": {
            "type": "string",
            "const": "trustee"
          },
          "value": {
            "$ref": "#/components/schemas/TrusteeValueV0"
          }
        }
      },
      "TrusteeEvidenceV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "az-snp-vtpm"
          },
          "dialect": {
            "type": "string",
            "const": "trustee"
          },
          "value": {
            "$ref": "#/components/schemas/TrusteeValueV1"
          }
        }
      },
      "TrusteeTdxEvidenceV0": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "az-tdx-vtpm"
          },
          "dialect": {
            "type": "string",
            "const": "trustee"
          },
          "value": {
            "$ref": "#/components/schemas/TrusteeTdxValueV0"
          }
        }
      },
      "TrusteeTdxEvidenceV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "az-tdx-vtpm"
          },
          "dialect": {
            "type": "string",
            "const": "trustee"
          },
          "value": {
            "$ref": "#/components/schemas/TrusteeTdxValueV1"
          }
        }
      },
      "TrusteeValueV0": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "quote",
          "report",
          "vcek"
        ],
        "description": "Version 0, the shape without `version`: bytes are lists of numbers.",
        "properties": {
          "quote": {
            "$ref": "#/components/schemas/TrusteeQuoteV0"
          },
          "report": {
            "description": "Report of the paravisor.",
            "$ref": "#/components/schemas/Octets"
          },
          "vcek": {
            "$ref": "#/components/schemas/Certificate"
          }
        }
      },
      "TrusteeTdxValueV0": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "tpm_quote",
          "hcl_report",
          "td_quote"
        ],
        "description": "Version 0 of a guest on TDX.",
        "properties": {
          "tpm_quote": {
            "$ref": "#/components/schemas/TrusteeQuoteV0"
          },
          "hcl_report": {
            "description": "Report of the paravisor.",
            "$ref": "#/components/schemas/Octets"
          },
          "td_quote": {
            "$ref": "#/components/schemas/Octets"
          }
        }
      },
      "TrusteeQuoteV0": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "signature",
          "message",
          "pcrs"
        ],
        "properties": {
          "signature": {
            "$ref": "#/components/schemas/Octets"
          },
          "message": {
            "$ref": "#/components/schemas/Octets"
          },
          "pcrs": {
            "type": "array",
            "minItems": 24,
            "maxItems": 24,
            "items": {
              "$ref": "#/components/schemas/Octets"
            }
          }
        }
      },
      "TrusteeValueV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "version",
          "tpm_quote",
          "hcl_report",
          "vcek"
        ],
        "description": "Versions 1 and 2.",
        "properties": {
          "version": {
            "$ref": "#/components/schemas/TrusteeVersion"
          },
          "tpm_quote": {
            "$ref": "#/components/schemas/TrusteeQuoteV1"
          },
          "hcl_report": {
            "description": "Report of the paravisor.",
            "$ref": "#/components/schemas/Bytes"
          },
          "vcek": {
            "$ref": "#/components/schemas/Certificate"
          }
        }
      },
      "TrusteeTdxValueV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "version",
          "tpm_quote",
          "hcl_report",
          "td_quote"
        ],
        "description": "Versions 1 and 2 of a guest on TDX.",
        "properties": {
          "version": {
            "$ref": "#/components/schemas/TrusteeVersion"
          },
          "tpm_quote": {
            "$ref": "#/components/schemas/TrusteeQuoteV1"
          },
          "hcl_report": {
            "description": "Report of the paravisor.",
            "$ref": "#/components/schemas/Bytes"
          },
          "td_quote": {
            "$ref": "#/components/schemas/Bytes"
          }
        }
      },
      "TrusteeVersion": {
        "type": "integer",
        "enum": [
          1,
          2
        ]
      },
      "TrusteeQuoteV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "signature",
          "message",
          "pcrs"
        ],
        "properties": {
          "signature": {
            "$ref": "#/components/schemas/HexInput"
          },
          "message": {
            "$ref": "#/components/schemas/HexInput"
          },
          "pcrs": {
            "type": "array",
            "minItems": 24,
            "maxItems": 24,
            "items": {
              "$ref": "#/components/schemas/HexInput"
            }
          }
        }
      },
      "MaaRequestEvidence": {
        "type": "object",
        "required": [
          "dialect"
        ],
        "description": "The body that a guest posts to Azure Attestation, attest/SevSnpVm for snp, attest/TdxVm for tdx.",
        "properties": {
          "dialect": {
            "type": "string",
            "const": "maa"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/MaaSnpRequestEvidence"
          },
          {
            "$ref": "#/components/schemas/MaaTdxRequestEvidence"
          }
        ]
      },
      "MaaSnpRequestEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "snp"
          },
          "dialect": {
            "type": "string",
            "const": "maa"
          },
          "value": {
            "$ref": "#/components/schemas/MaaSnpRequest"
          }
        }
      },
      "MaaTdxRequestEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "tdx"
          },
          "dialect": {
            "type": "string",
            "const": "maa"
          },
          "value": {
            "$ref": "#/components/schemas/MaaTdxRequest"
          }
        }
      },
      "MaaSnpRequest": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "report"
        ],
        "properties": {
          "report": {
            "type": "string",
            "description": "Bytes, as everywhere, of a JSON text.",
            "contentEncoding": "base64url",
            "contentMediaType": "application/json",
            "contentSchema": {
              "$ref": "#/components/schemas/MaaSnpReport"
            }
          },
          "runtimeData": {
            "$ref": "#/components/schemas/MaaData"
          },
          "initTimeData": {
            "$ref": "#/components/schemas/MaaInitTimeData"
          },
          "draftPolicyForAttestation": {
            "$ref": "#/components/schemas/ForOthers"
          },
          "nonce": {
            "$ref": "#/components/schemas/MaaNonce"
          }
        }
      },
      "MaaTdxRequest": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "quote"
        ],
        "properties": {
          "quote": {
            "$ref": "#/components/schemas/Bytes"
          },
          "runtimeData": {
            "$ref": "#/components/schemas/MaaData"
          },
          "initTimeData": {
            "$ref": "#/components/schemas/MaaInitTimeData"
          },
          "nonce": {
            "$ref": "#/components/schemas/MaaNonce"
          }
        }
      },
      "MaaSnpReport": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "SnpReport"
        ],
        "description": "What `report` of a MaaSnpRequest holds.",
        "properties": {
          "SnpReport": {
            "description": "ATTESTATION_REPORT, 1184 bytes.",
            "$ref": "#/components/schemas/Bytes"
          },
          "VcekCertChain": {
            "description": "PEM of VCEK, ASK and ARK, as bytes.",
            "$ref": "#/components/schemas/Bytes"
          },
          "Endorsements": {
            "$ref": "#/components/schemas/ForOthers"
          }
        }
      },
      "MaaData": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "data",
          "dataType"
        ],
        "properties": {
          "data": {
            "description": "Bytes whose SHA-256 is in the report data.",
            "$ref": "#/components/schemas/Bytes"
          },
          "dataType": {
            "type": "string",
            "enum": [
              "JSON",
              "Binary"
            ]
          }
        }
      },
      "MaaInitTimeData": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "data",
          "dataType"
        ],
        "description": "Not looked at.",
        "properties": {
          "data": {
            "$ref": "#/components/schemas/ForOthers"
          },
          "dataType": {
            "type": "string",
            "enum": [
              "JSON",
              "Binary"
            ]
          }
        }
      },
      "MaaNonce": {
        "description": "Not looked at. Azure Attestation repeats it, and no hardware has signed it.",
        "oneOf": [
          {
            "type": "string"
          },
          {
            "type": "integer"
          }
        ]
      },
      "ForOthers": {
        "type": "string",
        "description": "Not looked at."
      },
      "ItaRequestEvidence": {
        "type": "object",
        "required": [
          "dialect"
        ],
        "description": "The body that a guest posts to Intel Trust Authority, attest or attest/azure, version 1 (flat) or 2 (under `tdx`).\n",
        "properties": {
          "dialect": {
            "type": "string",
            "const": "ita"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/ItaRequestEvidenceV1"
          },
          {
            "$ref": "#/components/schemas/ItaRequestEvidenceV2"
          }
        ]
      },
      "ItaRequestEvidenceV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "tdx"
          },
          "dialect": {
            "type": "string",
            "const": "ita"
          },
          "value": {
            "$ref": "#/components/schemas/ItaRequestV1"
          }
        }
      },
      "ItaRequestEvidenceV2": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "tdx"
          },
          "dialect": {
            "type": "string",
            "const": "ita"
          },
          "value": {
            "$ref": "#/components/schemas/ItaRequestV2"
          }
        }
      },
      "ItaRequestV1": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "quote"
        ],
        "properties": {
          "quote": {
            "$ref": "#/components/schemas/Bytes"
          },
          "runtime_data": {
            "$ref": "#/components/schemas/ItaRuntimeData"
          },
          "user_data": {
            "$ref": "#/components/schemas/ItaUserData"
          },
          "event_log": {
            "$ref": "#/components/schemas/ItaEventLog"
          },
          "verifier_nonce": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/ItaVerifierNonce"
              },
              {
                "type": "null"
              }
            ]
          },
          "policy_ids": {
            "$ref": "#/components/schemas/ItaPolicyIds"
          },
          "policy_must_match": {
            "type": "boolean",
            "description": "Not looked at."
          },
          "token_signing_alg": {
            "$ref": "#/components/schemas/ForOthers"
          }
        }
      },
      "ItaRequestV2": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "tdx"
        ],
        "properties": {
          "tdx": {
            "$ref": "#/components/schemas/ItaTdx"
          },
          "policy_ids": {
            "$ref": "#/components/schemas/ItaPolicyIds"
          },
          "policy_must_match": {
            "type": "boolean",
            "description": "Not looked at."
          },
          "token_signing_alg": {
            "$ref": "#/components/schemas/ForOthers"
          }
        }
      },
      "ItaTdx": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "quote"
        ],
        "properties": {
          "quote": {
            "$ref": "#/components/schemas/Bytes"
          },
          "runtime_data": {
            "$ref": "#/components/schemas/ItaRuntimeData"
          },
          "user_data": {
            "$ref": "#/components/schemas/ItaUserData"
          },
          "event_log": {
            "$ref": "#/components/schemas/ItaEventLog"
          },
          "verifier_nonce": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/ItaVerifierNonce"
              },
              {
                "type": "null"
              }
            ]
          }
        }
      },
      "ItaRuntimeData": {
        "description": "What an Azure guest sends: the runtime claims of its paravisor, whose SHA-256 is in REPORTDATA. Any other guest: data\nthat it chose, where REPORTDATA is SHA-512 of `val`, `iat` and this data. Send that hash as `nonce` of this\nrequest; a nonce inside the data does not count.\n",
        "oneOf": [
          {
            "$ref": "#/components/schemas/Bytes"
          },
          {
            "type": "null"
          }
        ]
      },
      "ItaUserData": {
        "type": [
          "string",
          "null"
        ],
        "description": "The runtime data, as older clients send it. Ignored beside `runtime_data`."
      },
      "ItaEventLog": {
        "type": [
          "string",
          "null"
        ],
        "description": "Not looked at."
      },
      "ItaVerifierNonce": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "val",
          "iat",
          "signature"
        ],
        "description": "Intel's nonce, which is hashed into REPORTDATA of a TD without paravisor. Its signature is not verified here.",
        "properties": {
          "val": {
            "$ref": "#/components/schemas/Bytes"
          },
          "iat": {
            "$ref": "#/components/schemas/Bytes"
          },
          "signature": {
            "type": "string",
            "description": "Not looked at."
          }
        }
      },
      "ItaPolicyIds": {
        "type": "array",
        "maxItems": 64,
        "description": "Not looked at.",
        "items": {
          "type": "string"
        }
      },
      "ExtendedReportEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "description": "What SNP_GET_EXT_REPORT gives to a guest.",
        "properties": {
          "type": {
            "type": "string",
            "const": "snp"
          },
          "dialect": {
            "type": "string",
            "const": "extended-report"
          },
          "value": {
            "description": "The report, 1184 bytes, followed by the certificate table. A host without one leaves it out.",
            "$ref": "#/components/schemas/Bytes"
          }
        }
      },
      "ConfigfsTsmEvidence": {
        "type": "object",
        "required": [
          "dialect"
        ],
        "description": "What a guest reads from /sys/kernel/config/tsm/report.",
        "properties": {
          "dialect": {
            "type": "string",
            "const": "configfs-tsm"
          }
        },
        "oneOf": [
          {
            "$ref": "#/components/schemas/ConfigfsTsmSnpEvidence"
          },
          {
            "$ref": "#/components/schemas/ConfigfsTsmTdxEvidence"
          }
        ]
      },
      "ConfigfsTsmSnpEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "snp"
          },
          "dialect": {
            "type": "string",
            "const": "configfs-tsm"
          },
          "value": {
            "$ref": "#/components/schemas/ConfigfsTsmSnpValue"
          }
        }
      },
      "ConfigfsTsmTdxEvidence": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "dialect",
          "value"
        ],
        "properties": {
          "type": {
            "type": "string",
            "const": "tdx"
          },
          "dialect": {
            "type": "string",
            "const": "configfs-tsm"
          },
          "value": {
            "$ref": "#/components/schemas/ConfigfsTsmTdxValue"
          }
        }
      },
      "ConfigfsTsmSnpValue": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "outblob"
        ],
        "properties": {
          "provider": {
            "$ref": "#/components/schemas/ConfigfsTsmProvider"
          },
          "outblob": {
            "description": "ATTESTATION_REPORT, 1184 bytes.",
            "$ref": "#/components/schemas/Bytes"
          },
          "auxblob": {
            "description": "The certificate table. An empty string, what a host without one gives, counts as absent.",
            "$ref": "#/components/schemas/Bytes"
          }
        }
      },
      "ConfigfsTsmTdxValue": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "outblob"
        ],
        "properties": {
          "provider": {
            "$ref": "#/components/schemas/ConfigfsTsmProvider"
          },
          "outblob": {
            "description": "TD quote.",
            "$ref": "#/components/schemas/Bytes"
          },
          "auxblob": {
            "type": "string",
            "const": "",
            "description": "Empty, since the kernel has none to give for TDX."
          }
        }
      },
      "ConfigfsTsmProvider": {
        "type": "string",
        "enum": [
          "sev_guest",
          "sev_guest\n",
          "tdx_guest",
          "tdx_guest\n",
          "arm_cca_guest",
          "arm_cca_guest\n"
        ],
        "description": "The attribute `provider`, with or without the line feed that the kernel ends it with. `sev_guest` for snp,\n`tdx_guest` for tdx; that of another TEE is 400 `type_mismatch`.\n"
      },
      "Decision": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "decision",
          "decisionId",
          "decidedAt",
          "at",
          "validUntil",
          "historical",
          "retryable",
          "evidence",
          "trust",
          "policies",
          "checks",
          "reasons",
          "claims",
          "maaView",
          "crossCheck",
          "endorsements",
          "freshness",
          "binding",
          "shadow",
          "receipt"
        ],
        "properties": {
          "decision": {
            "description": "Only the literal `allow` releases anything.",
            "$ref": "#/components/schemas/Outcome"
          },
          "decisionId": {
            "type": "string",
            "description": "UUID, version 7.",
            "examples": [
              "019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11"
            ]
          },
          "decidedAt": {
            "description": "When the service decided. `at` does not change it.",
            "$ref": "#/components/schemas/Instant"
          },
          "at": {
            "description": "The instant judged. That of the decision, unless the request names one.",
            "$ref": "#/components/schemas/Instant"
          },
          "validUntil": {
            "description": "Earliest end of anything that the decision rests on.",
            "$ref": "#/components/schemas/Instant"
          },
          "historical": {
            "type": "boolean",
            "description": "Whether the request named the instant. Such a decision is for audits."
          },
          "retryable": {
            "type": "boolean",
            "description": "Whether the same request may later be judged otherwise."
          },
          "evidence": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "type",
              "sha256"
            ],
            "properties": {
              "type": {
                "$ref": "#/components/schemas/EvidenceType"
              },
              "sha256": {
                "description": "Identity of the evidence, the same in native form and dialect.",
                "$ref": "#/components/schemas/Sha256"
              }
            }
          },
          "trust": {
            "$ref": "#/components/schemas/Trust"
          },
          "policies": {
            "type": "array",
            "description": "What each policy made of the evidence, in the order of the request.",
            "items": {
              "$ref": "#/components/schemas/PolicyResult"
            }
          },
          "checks": {
            "type": "array",
            "description": "Everything that was compared, in that order.",
            "items": {
              "$ref": "#/components/schemas/Check"
            }
          },
          "reasons": {
            "type": "array",
            "description": "Codes of failed and undecided checks, the most important first.",
            "items": {
              "$ref": "#/components/schemas/CheckId"
            }
          },
          "claims": {
            "$ref": "#/components/schemas/Claims"
          },
          "maaView": {
            "description": "What this verification proves, under the names that Azure Attestation gives the claims, for policies that were\nwritten for its tokens. `absent` lists what only Azure Attestation can state. Null where no hardware was proven.\n",
            "type": [
              "object",
              "null"
            ],
            "additionalProperties": true,
            "properties": {
              "absent": {
                "type": "array",
                "items": {
                  "type": "string"
                }
              }
            }
          },
          "crossCheck": {
            "description": "What several routes say of one TEE, claim by claim. Null where there was one route only.",
            "oneOf": [
              {
                "$ref": "#/components/schemas/CrossCheck"
              },
              {
                "type": "null"
              }
            ]
          },
          "endorsements": {
            "type": "array",
            "description": "Certificates and revocation lists that the decision rests on.",
            "items": {
              "$ref": "#/components/schemas/UsedEndorsement"
            }
          },
          "freshness": {
            "$ref": "#/components/schemas/Freshness"
          },
          "binding": {
            "description": "The bound key, null without one.",
            "type": [
              "object",
              "null"
            ],
            "additionalProperties": false,
            "required": [
              "jkt"
            ],
            "properties": {
              "jkt": {
                "type": "string",
                "description": "RFC 7638 SHA-256 thumbprint, base64url.",
                "examples": [
                  "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
                ]
              }
            }
          },
          "shadow": {
            "type": "null",
            "description": "This version judges by no shadow policies."
          },
          "receipt": {
            "type": "null",
            "description": "This version signs no receipts."
          }
        }
      },
      "CrossCheck": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "routes",
          "agree",
          "differences",
          "differencesOmitted",
          "equal",
          "notComparable"
        ],
        "properties": {
          "routes": {
            "type": "array",
            "items": {
              "type": "string",
              "enum": [
                "hardware",
                "maa",
                "ita"
              ]
            }
          },
          "agree": {
            "type": "boolean",
            "description": "Whether all are about the same TEE, and no claim differs."
          },
          "differences": {
            "type": "array",
            "maxItems": 64,
            "description": "Claims of which the routes say different things, the first 64 of them.",
            "items": {
              "type": "object",
              "additionalProperties": false,
              "required": [
                "claim",
                "values"
              ],
              "properties": {
                "claim": {
                  "type": "string",
                  "examples": [
                    "snp.measurement"
                  ]
                },
                "values": {
                  "type": "object",
                  "additionalProperties": true,
                  "description": "What each route says, by its name."
                }
              }
            }
          },
          "differencesOmitted": {
            "type": "integer",
            "minimum": 0,
            "description": "How many more claims differ than are listed."
          },
          "equal": {
            "type": "array",
            "description": "Claims of which each route says the same.",
            "items": {
              "type": "string"
            }
          },
          "notComparable": {
            "type": "array",
            "description": "Claims that only one route makes, or that are about different moments.",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "Outcome": {
        "type": "string",
        "enum": [
          "allow",
          "deny",
          "indeterminate"
        ]
      },
      "EvidenceType": {
        "type": "string",
        "enum": [
          "snp",
          "tdx",
          "az-snp-vtpm",
          "az-tdx-vtpm",
          "maa-token",
          "ita-token"
        ]
      },
      "Sha256": {
        "type": "string",
        "pattern": "^[0-9a-f]{64}$",
        "description": "SHA-256 in hex.",
        "examples": [
          "003ec60450bb930c1c981b87d452e0e9e49c3e040fd69915efec5a1bb967c463"
        ]
      },
      "Trust": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "status",
          "submods"
        ],
        "description": "Trust tiers and vectors of AR4SI (draft-ietf-rats-ar4si).",
        "properties": {
          "status": {
            "$ref": "#/components/schemas/TrustTier"
          },
          "submods": {
            "type": "object",
            "additionalProperties": false,
            "description": "One appraisal for each part that was judged.",
            "properties": {
              "hardware": {
                "$ref": "#/components/schemas/TrustSubmodule"
              },
              "vtpm": {
                "$ref": "#/components/schemas/TrustSubmodule"
              },
              "maa": {
                "$ref": "#/components/schemas/TrustSubmodule"
              },
              "ita": {
                "$ref": "#/components/schemas/TrustSubmodule"
              }
            }
          }
        }
      },
      "TrustTier": {
        "type": "string",
        "enum": [
          "none",
          "affirming",
          "warning",
          "contraindicated"
        ]
      },
      "TrustSubmodule": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "status",
          "vector"
        ],
        "properties": {
          "status": {
            "$ref": "#/components/schemas/TrustTier"
          },
          "vector": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "instance-identity": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "configuration": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "executables": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "file-system": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "hardware": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "runtime-opaque": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "storage-opaque": {
                "$ref": "#/components/schemas/TrustClaim"
              },
              "sourced-data": {
                "$ref": "#/components/schemas/TrustClaim"
              }
            }
          }
        }
      },
      "TrustClaim": {
        "type": "integer",
        "minimum": -128,
        "maximum": 127,
        "description": "2 to 31 affirming, 32 to 95 warning, 96 to 127 contraindicated, -1 to 1 none.",
        "examples": [
          2
        ]
      },
      "PolicyResult": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "id",
          "version",
          "sha256",
          "outcome",
          "matched",
          "unmatched"
        ],
        "properties": {
          "id": {
            "$ref": "#/components/schemas/PolicyId"
          },
          "version": {
            "type": "integer",
            "minimum": 1
          },
          "sha256": {
            "description": "Digest of the policy text that was evaluated.",
            "$ref": "#/components/schemas/Sha256"
          },
          "outcome": {
            "$ref": "#/components/schemas/Outcome"
          },
          "matched": {
            "type": "array",
            "description": "Ids of the policy's own checks that hold.",
            "items": {
              "type": "string"
            }
          },
          "unmatched": {
            "type": "array",
            "description": "Ids of the policy's own checks that do not.",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "Check": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "id",
          "result",
          "about",
          "expected",
          "actual",
          "detail",
          "remedy",
          "waived",
          "policy"
        ],
        "description": "One thing that was compared.",
        "if": {
          "properties": {
            "result": {
              "type": "string",
              "enum": [
                "fail",
                "warn",
                "unavailable"
              ]
            }
          }
        },
        "then": {
          "properties": {
            "remedy": {
              "type": "string"
            }
          }
        },
        "else": {
          "properties": {
            "remedy": {
              "type": "null"
            },
            "waived": {
              "type": "boolean",
              "const": false
            }
          }
        },
        "properties": {
          "id": {
            "$ref": "#/components/schemas/CheckId"
          },
          "result": {
            "type": "string",
            "enum": [
              "pass",
              "fail",
              "warn",
              "skipped",
              "not_configured",
              "unavailable"
            ],
            "description": "`warn`: a finding that is tolerated. `unavailable`: an endorsement or service could not be had. `skipped`:\ndepends on a check that failed; unless `checks=all`, all that were skipped for the same reason are listed as\none. `not_configured`: the policy does not ask for it. A check that did not run never counts as passed.\n"
          },
          "about": {
            "type": "string",
            "description": "JSON pointer into the request, in its native form.",
            "examples": [
              "/evidence/hclReport"
            ]
          },
          "expected": {
            "description": "The value that passes. Null where there is no single value, or the value is not verified. A list of more than 8 is\nshown as its number.\n"
          },
          "actual": {
            "description": "The value that was found. Null where there is no single value, or the value is not verified. A list of more than 8 is shown\nas its number.\n"
          },
          "detail": {
            "type": "string",
            "description": "One sentence for people.",
            "examples": [
              "the key certificate has signed the report"
            ]
          },
          "remedy": {
            "type": [
              "string",
              "null"
            ],
            "description": "One sentence on what the operator, the guest's owner or the caller can do. Null where the check passed or did\nnot run.\n",
            "examples": [
              "The guest's owner should launch it with debugging off (bit 19 of the guest policy clear)."
            ]
          },
          "waived": {
            "type": "boolean",
            "description": "Whether a waiver of `policy` made the finding a warning."
          },
          "policy": {
            "type": [
              "string",
              "null"
            ],
            "description": "Id of the policy whose check this is, or that changed its result; null for base checks."
          }
        }
      },
      "CheckId": {
        "type": "string",
        "description": "Id of a check; the reason code when it fails. Ordered by importance.",
        "enum": [
          "internal_error",
          "deadline",
          "clock",
          "cert_untrusted",
          "cert_signature",
          "cert_algorithm",
          "cert_not_ca",
          "cert_path",
          "cert_role",
          "cert_extension",
          "cert_validity",
          "cert_revoked",
          "crl_invalid",
          "crl_issuer",
          "snp_key_kind",
          "snp_product",
          "snp_product_refused",
          "snp_chip_id",
          "snp_tcb_cert",
          "snp_signature",
          "snp_debug",
          "snp_migration_agent",
          "snp_vmpl",
          "snp_tcb_order",
          "snp_tcb_low",
          "snp_provisional",
          "snp_mitigation",
          "snp_id_key",
          "snp_measurement",
          "snp_host_data",
          "snp_report_data",
          "snp_platform_smt_enabled",
          "snp_platform_tsme_enabled",
          "snp_platform_ecc_enabled",
          "snp_platform_rapl_disabled",
          "snp_platform_ciphertext_hiding_dram_enabled",
          "snp_platform_alias_check_complete",
          "snp_platform_iommu_write_safe",
          "snp_platform_tio_enabled",
          "snp_platform_unknown",
          "tdx_signature",
          "tdx_qe_vendor",
          "tdx_qe_binding",
          "tdx_qe_report_signature",
          "tdx_qe_identity",
          "tdx_qe_debug",
          "tdx_qe_svn",
          "tdx_qe_attributes",
          "tdx_report_mismatch",
          "tdx_tcb_info",
          "tdx_tcb_level_unsupported",
          "tdx_tcb_status",
          "tdx_tcb_date",
          "tdx_module",
          "tdx_debug",
          "tdx_attributes",
          "tdx_xfam",
          "tdx_seam_attributes",
          "tdx_platform_id",
          "tdx_service_td",
          "tdx_measurement",
          "tdx_report_data",
          "collateral_not_yet",
          "hardware_missing",
          "hcl_binding",
          "hcl_duplicate",
          "hcl_claims",
          "hcl_ak_missing",
          "hcl_ak_weak",
          "hcl_ak_mismatch",
          "ak_cert_untrusted",
          "hcl_paravisor",
          "hcl_reference",
          "tpm_signature",
          "tpm_weak_signature",
          "tpm_magic",
          "tpm_not_quote",
          "tpm_weak_bank",
          "tpm_pcr_selection",
          "tpm_pcr_digest",
          "tpm_pcr_not_quoted",
          "tpm_pcr",
          "tpm_reset",
          "eventlog_replay",
          "eventlog_order",
          "eventlog_unverified",
          "eventlog_missing",
          "secure_boot",
          "secure_boot_unknown",
          "token_alg",
          "token_key",
          "token_signature",
          "token_time",
          "token_lifetime",
          "token_issuer",
          "token_issuer_policy",
          "token_audience",
          "token_claim_type",
          "token_debug",
          "token_debug_unknown",
          "token_compliance",
          "maa_tcb_status",
          "ita_tcb_status",
          "ita_policy",
          "ita_debug",
          "disagreement",
          "route_missing",
          "nonce_mismatch",
          "nonce_used",
          "nonce_expired",
          "nonce_scope",
          "nonce_missing",
          "nonce_stale",
          "binding_missing",
          "no_policy",
          "policy_evidence_type",
          "rule_not_met",
          "reference_not_applicable",
          "claim_missing",
          "claim_type",
          "release_token_stale",
          "release_other_vm",
          "release_key_unbound",
          "release_refused",
          "release_warning",
          "vcek_unavailable",
          "crl_stale",
          "crl_unavailable",
          "crl_rollback",
          "collateral_unavailable",
          "collateral_stale",
          "collateral_rollback",
          "jwks_unavailable",
          "jwks_invalid",
          "jwks_stale",
          "route_unavailable",
          "nonce_store",
          "release_unavailable",
          "audit_unavailable",
          "snp_product_advisory",
          "snp_tcb_floor_missing",
          "hcl_paravisor_unknown",
          "collateral_unconfirmed",
          "crl_unconfirmed"
        ]
      },
      "Claims": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "snp",
          "tdx",
          "hcl",
          "tpm",
          "maa",
          "ita"
        ],
        "description": "Claims from verified bytes, by the part of the evidence that makes them. Null where the evidence has no such part,\nor where a signature, chain or binding under it did not verify.\n",
        "properties": {
          "snp": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/SnpClaims"
              },
              {
                "type": "null"
              }
            ]
          },
          "tdx": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/TdxClaims"
              },
              {
                "type": "null"
              }
            ]
          },
          "hcl": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/HclClaims"
              },
              {
                "type": "null"
              }
            ]
          },
          "tpm": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/TpmClaims"
              },
              {
                "type": "null"
              }
            ]
          },
          "maa": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/TokenClaims"
              },
              {
                "type": "null"
              }
            ]
          },
          "ita": {
            "oneOf": [
              {
                "$ref": "#/components/schemas/TokenClaims"
              },
              {
                "type": "null"
              }
            ]
          }
        }
      },
      "TokenClaims": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "issuer",
          "attestationType",
          "policyHash",
          "claims"
        ],
        "description": "What another verifier's token says.",
        "properties": {
          "issuer": {
            "type": "string"
          },
          "attestationType": {
            "type": "string",
            "description": "`x-ms-attestation-type` of the token itself, or `attester_type`."
          },
          "policyHash": {
            "type": [
              "string",
              "null"
            ],
            "description": "`x-ms-policy-hash`."
          },
          "claims": {
            "type": "object",
            "additionalProperties": true,
            "description": "The payload, as issued."
          }
        }
      },
      "SnpClaims": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "version",
          "product",
          "part",
          "firmware",
          "signingKey",
          "vmpl",
          "guestSvn",
          "policy",
          "platformInfo",
          "tcb",
          "authorKeyEnabled",
          "measurement",
          "hostData",
          "idKeyDigest",
          "authorKeyDigest",
          "reportId",
          "reportIdMa",
          "chipId",
          "reportData",
          "familyId",
          "imageId"
        ],
        "description": "Fields of the ATTESTATION_REPORT (AMD 56860).",
        "properties": {
          "version": {
            "type": "integer",
            "description": "Version of the report.",
            "examples": [
              3
            ]
          },
          "product": {
            "type": "string",
            "enum": [
              "Milan",
              "Genoa",
              "Turin"
            ]
          },
          "part": {
            "type": "string",
            "enum": [
              "Milan",
              "Milan-X",
              "Genoa",
              "Genoa-X",
              "Bergamo-Siena",
              "Turin",
              "Turin-Dense",
              "unknown"
            ],
            "description": "AMD numbers the microcode of each part by itself."
          },
          "cpuid": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "family",
              "model",
              "stepping"
            ],
            "description": "Absent in version 2 reports.",
            "properties": {
              "family": {
                "type": "integer"
              },
              "model": {
                "type": "integer"
              },
              "stepping": {
                "type": "integer"
              }
            }
          },
          "firmware": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "current",
              "committed"
            ],
            "description": "Versions of the SEV firmware, as major.minor.build.",
            "properties": {
              "current": {
                "type": "string",
                "examples": [
                  "1.55.29"
                ]
              },
              "committed": {
                "type": "string",
                "examples": [
                  "1.55.29"
                ]
              }
            }
          },
          "mitigation": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "current",
              "launch"
            ],
            "description": "Mitigation vectors, in hex with 0x. Version 5 reports only.",
            "properties": {
              "current": {
                "type": "string"
              },
              "launch": {
                "type": "string"
              }
            }
          },
          "signingKey": {
            "type": "string",
            "enum": [
              "vcek",
              "vlek"
            ]
          },
          "vmpl": {
            "type": "integer"
          },
          "guestSvn": {
            "type": "integer"
          },
          "policy": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "abiMajor",
              "abiMinor",
              "smt",
              "migrateMa",
              "debug",
              "singleSocket",
              "cxlAllow",
              "memAes256Xts",
              "raplDis",
              "ciphertextHidingDram",
              "pageSwapDisable"
            ],
            "description": "Guest POLICY.",
            "properties": {
              "abiMajor": {
                "type": "integer"
              },
              "abiMinor": {
                "type": "integer"
              },
              "smt": {
                "type": "boolean"
              },
              "migrateMa": {
                "type": "boolean"
              },
              "debug": {
                "type": "boolean"
              },
              "singleSocket": {
                "type": "boolean"
              },
              "cxlAllow": {
                "type": "boolean"
              },
              "memAes256Xts": {
                "type": "boolean"
              },
              "raplDis": {
                "type": "boolean"
              },
              "ciphertextHidingDram": {
                "type": "boolean"
              },
              "pageSwapDisable": {
                "type": "boolean"
              }
            }
          },
          "platformInfo": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "smtEnabled",
              "tsmeEnabled",
              "eccEnabled",
              "raplDisabled",
              "ciphertextHidingDramEnabled",
              "aliasCheckComplete",
              "iommuWriteSafe",
              "tioEnabled",
              "unknownBits"
            ],
            "description": "PLATFORM_INFO.",
            "properties": {
              "smtEnabled": {
                "type": "boolean"
              },
              "tsmeEnabled": {
                "type": "boolean"
              },
              "eccEnabled": {
                "type": "boolean"
              },
              "raplDisabled": {
                "type": "boolean"
              },
              "ciphertextHidingDramEnabled": {
                "type": "boolean"
              },
              "aliasCheckComplete": {
                "type": "boolean"
              },
              "iommuWriteSafe": {
                "type": "boolean"
              },
              "tioEnabled": {
                "type": "boolean"
              },
              "unknownBits": {
                "type": "array",
                "description": "Numbers of the set bits that have no name here.",
                "items": {
                  "type": "integer"
                }
              }
            }
          },
          "tcb": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "current",
              "committed",
              "reported",
              "launch"
            ],
            "properties": {
              "current": {
                "$ref": "#/components/schemas/SnpTcb"
              },
              "committed": {
                "$ref": "#/components/schemas/SnpTcb"
              },
              "reported": {
                "$ref": "#/components/schemas/SnpTcb"
              },
              "launch": {
                "$ref": "#/components/schemas/SnpTcb"
              }
            }
          },
          "authorKeyEnabled": {
            "type": "boolean"
          },
          "measurement": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "hostData": {
            "description": "32 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "idKeyDigest": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "authorKeyDigest": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "reportId": {
            "description": "32 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "reportIdMa": {
            "description": "32 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "chipId": {
            "description": "64 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "cspId": {
            "type": "string",
            "description": "The cloud provider that the VLEK was issued to, as its certificate names it. Absent under a VCEK.",
            "examples": [
              "cloud.example"
            ]
          },
          "reportData": {
            "description": "64 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "familyId": {
            "description": "16 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "imageId": {
            "description": "16 bytes.",
            "$ref": "#/components/schemas/Hex"
          }
        }
      },
      "SnpTcb": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "bootloader",
          "tee",
          "snp",
          "microcode"
        ],
        "description": "TCB_VERSION by component.",
        "properties": {
          "fmc": {
            "type": "integer",
            "description": "On Turin only."
          },
          "bootloader": {
            "type": "integer"
          },
          "tee": {
            "type": "integer"
          },
          "snp": {
            "type": "integer"
          },
          "microcode": {
            "type": "integer",
            "examples": [
              219
            ]
          }
        }
      },
      "TdxClaims": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "quoteVersion",
          "mrtd",
          "rtmr",
          "mrConfigId",
          "mrOwner",
          "mrOwnerConfig",
          "mrSeam",
          "mrSignerSeam",
          "teeTcbSvn",
          "tdAttributes",
          "xfam",
          "reportData",
          "ppid",
          "fmspc",
          "pceId",
          "tcb"
        ],
        "description": "Fields of the TD quote, and what Intel's collateral says of its platform.",
        "properties": {
          "quoteVersion": {
            "type": "integer",
            "enum": [
              4,
              5
            ]
          },
          "mrtd": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "rtmr": {
            "type": "array",
            "minItems": 4,
            "maxItems": 4,
            "description": "RTMR 0 to 3, 48 bytes each. Behind a paravisor they measure the paravisor, not the guest.",
            "items": {
              "$ref": "#/components/schemas/Hex"
            }
          },
          "mrConfigId": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "mrOwner": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "mrOwnerConfig": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "mrSeam": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "mrSignerSeam": {
            "description": "48 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "mrServiceTd": {
            "description": "48 bytes, of TD 1.5 bodies only.",
            "$ref": "#/components/schemas/Hex"
          },
          "teeTcbSvn": {
            "description": "16 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "tdAttributes": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "debug",
              "septVeDisable",
              "migratable",
              "pks",
              "keyLocker",
              "perfmon",
              "icssd",
              "lass",
              "tpa"
            ],
            "description": "TDATTRIBUTES by bit.",
            "properties": {
              "debug": {
                "type": "boolean"
              },
              "septVeDisable": {
                "type": "boolean"
              },
              "migratable": {
                "type": "boolean"
              },
              "pks": {
                "type": "boolean"
              },
              "keyLocker": {
                "type": "boolean"
              },
              "perfmon": {
                "type": "boolean"
              },
              "icssd": {
                "type": "boolean"
              },
              "lass": {
                "type": "boolean"
              },
              "tpa": {
                "type": "boolean"
              }
            }
          },
          "xfam": {
            "description": "8 bytes as they stand.",
            "$ref": "#/components/schemas/Hex"
          },
          "reportData": {
            "description": "64 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "ppid": {
            "description": "16 bytes, of the PCK certificate. It tells one platform from all others.",
            "$ref": "#/components/schemas/Hex"
          },
          "fmspc": {
            "description": "6 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "pceId": {
            "description": "2 bytes.",
            "$ref": "#/components/schemas/Hex"
          },
          "tcb": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "status",
              "platformStatus",
              "moduleStatus",
              "qeStatus",
              "date",
              "evaluationDataNumber",
              "qeEvaluationDataNumber",
              "advisories"
            ],
            "properties": {
              "status": {
                "type": [
                  "string",
                  "null"
                ],
                "description": "Merged by Intel's table. Null where platform or module is behind every level.",
                "examples": [
                  "UpToDate"
                ]
              },
              "platformStatus": {
                "type": [
                  "string",
                  "null"
                ],
                "description": "Null where the platform is behind every level."
              },
              "moduleStatus": {
                "type": [
                  "string",
                  "null"
                ],
                "description": "Null for modules without levels, and where the module is behind every level."
              },
              "qeStatus": {
                "type": "string"
              },
              "date": {
                "description": "The earliest of the three. Null without status.",
                "oneOf": [
                  {
                    "$ref": "#/components/schemas/Instant"
                  },
                  {
                    "type": "null"
                  }
                ]
              },
              "evaluationDataNumber": {
                "type": "integer",
                "description": "Of the TCB info."
              },
              "qeEvaluationDataNumber": {
                "type": "integer",
                "description": "Of the QE identity. It can differ from `evaluationDataNumber` for a while after Intel raises both."
              },
              "advisories": {
                "type": "array",
                "items": {
                  "type": "string",
                  "examples": [
                    "INTEL-SA-00837"
                  ]
                }
              }
            }
          }
        }
      },
      "HclClaims": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "reportType",
          "paravisor",
          "akThumbprint",
          "userData"
        ],
        "description": "What the Azure paravisor says about the VM.",
        "properties": {
          "reportType": {
            "type": "string",
            "enum": [
              "snp",
              "tdx",
              "tvm"
            ]
          },
          "paravisor": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "known",
              "by"
            ],
            "description": "Whether the paravisor is Azure's, and what says so.",
            "properties": {
              "known": {
                "type": "boolean"
              },
              "by": {
                "type": [
                  "string",
                  "null"
                ],
                "enum": [
                  "idKeyDigest",
                  "mrtd",
                  "maa",
                  "akCertificate",
                  null
                ]
              }
            }
          },
          "akThumbprint": {
            "type": "string",
            "description": "RFC 7638 SHA-256 thumbprint of `HCLAkPub`, base64url."
          },
          "userData": {
            "type": [
              "string",
              "null"
            ],
            "description": "The 64 bytes of `user-data` in hex; null where the member is absent, and where it is not 64 bytes of hex."
          },
          "vmConfiguration": {
            "type": "object",
            "additionalProperties": true,
            "description": "All members of `vm-configuration`, in camelCase. Absent where only the attestation key is certified, not the\nruntime claims.\n",
            "examples": [
              {
                "secureBoot": true,
                "tpmEnabled": true
              }
            ]
          }
        }
      },
      "TpmClaims": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "pcrs",
          "firmwareVersion",
          "clock"
        ],
        "description": "What the vTPM quote says.",
        "properties": {
          "pcrs": {
            "type": "object",
            "additionalProperties": false,
            "description": "Only what the signed selection names, by bank and index.",
            "properties": {
              "sha1": {
                "$ref": "#/components/schemas/PcrBankClaims"
              },
              "sha256": {
                "$ref": "#/components/schemas/PcrBankClaims"
              },
              "sha384": {
                "$ref": "#/components/schemas/PcrBankClaims"
              },
              "sha512": {
                "$ref": "#/components/schemas/PcrBankClaims"
              }
            }
          },
          "firmwareVersion": {
            "type": "string",
            "description": "16 hex digits.",
            "examples": [
              "1122334455667788"
            ]
          },
          "clock": {
            "type": "object",
            "additionalProperties": false,
            "required": [
              "resetCount",
              "restartCount",
              "safe"
            ],
            "properties": {
              "resetCount": {
                "type": "integer"
              },
              "restartCount": {
                "type": "integer"
              },
              "safe": {
                "type": "boolean"
              }
            }
          }
        }
      },
      "PcrBankClaims": {
        "type": "object",
        "additionalProperties": false,
        "patternProperties": {
          "^(?:[0-9]|1[0-9]|2[0-3])$": {
            "$ref": "#/components/schemas/Hex"
          }
        }
      },
      "UsedEndorsement": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "kind",
          "sha256",
          "source",
          "notAfter",
          "revocation"
        ],
        "properties": {
          "kind": {
            "type": "string",
            "enum": [
              "vcek",
              "vlek",
              "ask",
              "asvk",
              "ark",
              "crl",
              "pck",
              "pck-ca",
              "sgx-root",
              "tcb-signing",
              "tcb-info",
              "qe-identity",
              "ak",
              "ak-ca",
              "token-key"
            ]
          },
          "sha256": {
            "description": "Digest of the DER; of a token key, of its SubjectPublicKeyInfo.",
            "$ref": "#/components/schemas/Sha256"
          },
          "source": {
            "type": "string",
            "enum": [
              "evidence",
              "cache",
              "store",
              "network"
            ]
          },
          "notAfter": {
            "description": "End of a certificate, next update of a revocation list; null for a key without certificate.",
            "oneOf": [
              {
                "$ref": "#/components/schemas/Instant"
              },
              {
                "type": "null"
              }
            ]
          },
          "revocation": {
            "type": "string",
            "enum": [
              "good",
              "revoked",
              "unavailable",
              "not_applicable"
            ],
            "description": "`not_applicable`: nothing can revoke it. AMD gives all VEKs the serial number 0."
          }
        }
      },
      "Freshness": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "bound",
          "clockSkewSeconds"
        ],
        "properties": {
          "bound": {
            "type": "array",
            "description": "Places that held the nonce, or the nonce and key.",
            "items": {
              "type": "string",
              "enum": [
                "snp.reportData",
                "tdx.reportData",
                "runtimeData.nonce",
                "hcl.userData",
                "tpm.extraData",
                "maa.userData",
                "maa.reportData",
                "maa.runtimeNonce",
                "maa.clientPayloadNonce",
                "ita.userData",
                "ita.heldData",
                "ita.runtimeData",
                "ita.verifierNonce"
              ]
            }
          },
          "clockSkewSeconds": {
            "type": [
              "number",
              "null"
            ],
            "description": "How far a token's issuer is ahead of this service, where the token's times show it: positive where it was issued\nin the future, negative where it had expired, both within the leeway. Null where nothing shows.\n"
          }
        }
      },
      "Inspection": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "verified",
          "notice",
          "type",
          "structures"
        ],
        "properties": {
          "verified": {
            "type": "boolean",
            "const": false,
            "description": "Always false."
          },
          "notice": {
            "type": "string",
            "examples": [
              "nothing here was verified"
            ]
          },
          "type": {
            "$ref": "#/components/schemas/EvidenceType"
          },
          "structures": {
            "type": "array",
            "items": {
              "$ref": "#/components/schemas/InspectedStructure"
            }
          }
        }
      },
      "InspectedStructure": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "name",
          "about",
          "length",
          "fields"
        ],
        "properties": {
          "name": {
            "type": "string",
            "description": "Name of the structure in its specification.",
            "examples": [
              "ATTESTATION_REPORT"
            ]
          },
          "about": {
            "type": "string",
            "description": "JSON pointer into the evidence, in its native form.",
            "examples": [
              "/report"
            ]
          },
          "length": {
            "type": "integer",
            "description": "Bytes."
          },
          "fields": {
            "type": "array",
            "items": {
              "$ref": "#/components/schemas/InspectedField"
            }
          }
        }
      },
      "InspectedField": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "name",
          "offset",
          "length",
          "value",
          "meaning"
        ],
        "properties": {
          "name": {
            "type": "string",
            "examples": [
              "POLICY"
            ]
          },
          "offset": {
            "type": [
              "integer",
              "null"
            ],
            "description": "Bytes from the start of the structure; null where it is not read at known places: JSON text, tokens,\ncertificates and revocation lists, and `configuration`, which the evidence does not hold.\n"
          },
          "length": {
            "type": [
              "integer",
              "null"
            ],
            "description": "Bytes; null where `offset` is."
          },
          "value": {
            "description": "The decoded value; bytes in hex. Of an event of an event log `index`, `text`, which is null where the data is\nno text and cut where it is long, `dataLength` in bytes, and `digests` by algorithm.\n"
          },
          "meaning": {
            "type": [
              "string",
              "null"
            ],
            "examples": [
              "debugging is not allowed"
            ]
          }
        }
      },
      "ChallengeRequest": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "audience": {
            "$ref": "#/components/schemas/Audience"
          },
          "policy": {
            "$ref": "#/components/schemas/PolicyId"
          },
          "evidenceType": {
            "$ref": "#/components/schemas/EvidenceType"
          }
        }
      },
      "Challenge": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "nonce",
          "expiresAt"
        ],
        "properties": {
          "nonce": {
            "type": "string",
            "description": "32 bytes, base64url without padding."
          },
          "expiresAt": {
            "$ref": "#/components/schemas/Instant"
          }
        }
      },
      "Liveness": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "live"
        ],
        "properties": {
          "live": {
            "type": "boolean"
          },
          "problems": {
            "type": "array",
            "items": {
              "type": "string"
            },
            "description": "What is wrong, where the process should be started again."
          }
        }
      },
      "Readiness": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "ready",
          "problems"
        ],
        "properties": {
          "ready": {
            "type": "boolean"
          },
          "problems": {
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "Problem": {
        "type": "object",
        "additionalProperties": false,
        "required": [
          "type",
          "title",
          "status",
          "detail",
          "code"
        ],
        "description": "A problem document (RFC 9457). There is no decision in it.",
        "properties": {
          "type": {
            "type": "string",
            "description": "`urn:veritee:problem:` and the code.",
            "examples": [
              "urn:veritee:problem:encoding"
            ]
          },
          "title": {
            "type": "string",
            "examples": [
              "Malformed request"
            ]
          },
          "status": {
            "type": "integer",
            "minimum": 400,
            "maximum": 599
          },
          "detail": {
            "type": "string",
            "examples": [
              "the value is null, not a string"
            ]
          },
          "code": {
            "$ref": "#/components/schemas/ProblemCode"
          },
          "pointer": {
            "type": "string",
            "description": "JSON pointer (RFC 6901) to the member of the request that the code is about, where known. For a\nproblem that is found after a dialect was converted, the pointer is into the native form.\n",
            "examples": [
              "/evidence/report"
            ]
          },
          "requestId": {
            "type": "string",
            "description": "Id of the request in the log."
          }
        }
      },
      "ProblemCode": {
        "type": "string",
        "enum": [
          "schema",
          "unknown_property",
          "duplicate_key",
          "forbidden_key",
          "too_complex",
          "encoding",
          "type_mismatch",
          "type_unsupported",
          "url_not_allowed",
          "nonce",
          "at_not_enabled",
          "policy_unknown",
          "snp_format",
          "snp_reserved",
          "snp_policy",
          "tdx_format",
          "tdx_trailing",
          "tdx_not_a_quote",
          "hcl_format",
          "hcl_hash_type",
          "tpm_format",
          "eventlog_format",
          "eventlog_limit",
          "cert_format",
          "cert_chain",
          "token_format",
          "token_header",
          "token_claim",
          "unauthorized",
          "forbidden",
          "not_found",
          "method_not_allowed",
          "not_acceptable",
          "evidence_not_kept",
          "body_too_large",
          "unsupported_media_type",
          "rate_limited",
          "headers_too_large",
          "overloaded",
          "clock",
          "internal_error"
        ]
      }
    }
  }
};
