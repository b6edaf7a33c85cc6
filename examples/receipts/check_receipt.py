"""Checks a receipt that the service signs with ES256. check_receipt.py RECEIPT JWKS EXPECTED, three files; exit code 0 means allow."""
import base64, json, sys, time
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

def must(holds, otherwise):  # no assert: python3 -O and PYTHONOPTIMIZE leave asserts out
    if not holds:
        sys.exit(otherwise)

def once(members):  # two members of one name: another reader could see the other one
    must(len(members) == len(dict(members)), "a member stands twice")
    return dict(members)

receipt, jwks, expected = (open(name).read().strip() for name in sys.argv[1:4])
expected = json.loads(expected)  # issuer, audience, nonce, subject, policies: [{id, sha256}], evidenceTypes
head, payload, signature = receipt.split(".")
header, claims = (json.loads(decode(part), object_pairs_hook=once) for part in (head, payload))
must(header["typ"] == "eat+jwt" and header["alg"] == "ES256" and "crit" not in header, "header")
[key] = [key for key in json.loads(jwks)["keys"] if key["kid"] == header["kid"]]
x, y, r, s = (int.from_bytes(part, "big") for part in (decode(key["x"]), decode(key["y"]), decode(signature)[:32], decode(signature)[32:]))
public_key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
public_key.verify(utils.encode_dss_signature(r, s), f"{head}.{payload}".encode(), ec.ECDSA(SHA256()))
must(claims["iss"] == expected["issuer"], "another issuer")
must(claims["aud"] == expected["audience"], "another audience, or no allow")
must(claims["eat_nonce"] == expected["nonce"], "another nonce: the receipt is of another request")
must(claims["nbf"] - 60 <= time.time() < claims["exp"] <= claims["iat"] + 300, "not valid now")
must(claims["sub"] == expected["subject"], "another tenant or policy")
found = [{"id": policy["id"], "sha256": policy["sha256"]} for policy in claims["policies"]]
must(found == expected["policies"], "another policy, or another text of it")
must(claims["evidence"]["type"] in expected["evidenceTypes"], "another type of evidence")
must(claims["decision"] == "allow", "no allow")
