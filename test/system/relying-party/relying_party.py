#!/usr/bin/env python3
"""A relying party: checks receipts of veritee by the steps of docs/receipts.md.

It needs the standard library and `cryptography`. As a module it offers `check_receipt`. As a command it reads one JSON
object from stdin:

    { "now": seconds,
      "keySet": what /.well-known/jwks.json holds,
      "expected": { "issuer", "audience", "nonce", "subject", "policies": [{ "id", "sha256" }], "evidenceTypes": [] },
      "receipts": [text] }

and prints a JSON list with, for each receipt, the number of the step that refuses it, or null.

Three things stay with who uses it: to fetch the key set (step 3), to remember the nonces of receipts that were accepted
(step 7), and to have the sender prove that it has the key of `cnf` (step 13).
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256

PROFILE = "tag:github.com,2023:veraison/ear"
STATUSES = ("none", "affirming", "warning", "contraindicated")
MAX_LIFETIME_SECONDS = 300
CLOCK_DIFFERENCE_SECONDS = 60


class Refused(Exception):
    """A receipt is not accepted. `step` is the number of the first step that does not hold."""

    def __init__(self, step):
        super().__init__(f"step {step} of docs/receipts.md does not hold")
        self.step = step


def check_receipt(receipt, key_set, expected, now):
    """Returns the claims of a receipt for which steps 1 to 12 hold, else raises `Refused`.

    `expected` has the members that the command reads. `now` is in seconds since 1970.
    """
    header, claims, signature = parse(receipt)
    demand(2, header.get("typ") == "eat+jwt" and "crit" not in header)
    key = find_key(key_set, header)
    signed = receipt.rpartition(".")[0].encode("ascii")
    demand(4, is_signed(key, signed, signature))

    demand(5, claims.get("iss") == expected["issuer"])
    demand(6, claims.get("aud") == expected["audience"])
    demand(7, claims.get("eat_nonce") == expected["nonce"])
    demand(8, is_current(claims, now))
    demand(9, claims.get("eat_profile") == PROFILE)
    demand(10, claims.get("sub") == expected["subject"])
    demand(10, has_exactly(claims.get("policies"), expected["policies"]))
    demand(11, member(claims.get("evidence"), "type") in expected["evidenceTypes"])
    demand(12, claims.get("decision") == "allow" and has_known_statuses(claims.get("submods")))
    return claims


def demand(step, holds):
    """Refuses the receipt where the step does not hold."""
    if not holds:
        raise Refused(step)


def parse(receipt):
    """Step 1: returns header, claims and signature."""
    try:
        header, payload, signature = receipt.split(".")
        return parse_object(header), parse_object(payload), decode(signature)
    except (ValueError, RecursionError):
        raise Refused(1) from None


def decode(text):
    """Decodes base64url. Raises ValueError unless the text is the one spelling of its bytes: no padding, no other
    characters, no bits left over."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii") != text:
        raise ValueError("not base64url without padding")
    return data


def parse_object(text):
    """Parses a JSON object in base64url. Raises ValueError where a member is repeated at any depth."""
    value = json.loads(decode(text).decode("utf-8"), object_pairs_hook=to_dict, parse_constant=refuse_constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def to_dict(pairs):
    """Makes a dict of the members of an object. Raises ValueError where one is repeated."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("repeated member")
    return members


def refuse_constant(name):
    """Refuses NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"{name} is no JSON")


def find_key(key_set, header):
    """Step 3: returns the key of the key set that the header names."""
    keys = [key for key in key_set["keys"] if key["kid"] == header.get("kid")]
    demand(3, len(keys) == 1)
    [key] = keys
    demand(3, key["alg"] in VERIFIERS and key["alg"] == header.get("alg"))
    return key


def is_signed(key, signed, signature):
    """Step 4: whether the signature over these bytes holds."""
    try:
        VERIFIERS[key["alg"]](key, signed, signature)
        return True
    except InvalidSignature:
        return False


def verify_es256(key, signed, signature):
    """ECDSA on P-256 with SHA-256. The signature is r and s, 32 bytes each."""
    if len(signature) != 64:
        raise InvalidSignature
    numbers = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1())
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    numbers.public_key().verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))


def verify_eddsa(key, signed, signature):
    """Ed25519."""
    ed25519.Ed25519PublicKey.from_public_bytes(decode(key["x"])).verify(signature, signed)


def verify_rs256(key, signed, signature):
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    numbers = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"]))
    numbers.public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())


VERIFIERS = {"ES256": verify_es256, "EdDSA": verify_eddsa, "RS256": verify_rs256}


def number(text):
    """The number of a JWK member: big-endian, in base64url."""
    return int.from_bytes(decode(text), "big")


def is_current(claims, now):
    """Step 8: whether the receipt holds now, and for no longer than a receipt may."""
    times = [claims.get(name) for name in ("iat", "nbf", "exp")]
    if any(type(time) is not int for time in times):
        return False
    iat, nbf, exp = times
    return exp > now and nbf <= now + CLOCK_DIFFERENCE_SECONDS and exp - iat <= MAX_LIFETIME_SECONDS


def has_exactly(policies, expected):
    """Step 10: whether these are the expected policies, in whatever order, and no others."""
    if not isinstance(policies, list) or len(policies) != len(expected):
        return False
    pairs = [(member(policy, "id"), member(policy, "sha256")) for policy in policies]
    return all((policy["id"], policy["sha256"]) in pairs for policy in expected)


def has_known_statuses(submods):
    """Step 12: whether each part that was appraised has a status that this party knows."""
    if not isinstance(submods, dict):
        return False
    return all(member(submod, "ear.status") in STATUSES for submod in submods.values())


def member(value, name):
    """A member of what should be an object, or None."""
    return value.get(name) if isinstance(value, dict) else None


def refusing_step(receipt, key_set, expected, now):
    """The number of the step that refuses a receipt, or None."""
    try:
        check_receipt(receipt, key_set, expected, now)
        return None
    except Refused as refused:
        return refused.step


def main():
    """The command."""
    given = json.load(sys.stdin)
    steps = [refusing_step(text, given["keySet"], given["expected"], given["now"]) for text in given["receipts"]]
    json.dump(steps, sys.stdout)


if __name__ == "__main__":
    main()
