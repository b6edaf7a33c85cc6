"""Checks a receipt that the service signs with ES256. check_receipt.py RECEIPT JWKS EXPECTED, three files; exit code 0 means allow."""
import base64, json, sys, time
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

def once(members):  # two members of one name: another reader could see the other one
    assert len(members) == len(dict(members)), "a member stands twice"
    return dict(members)

receipt, jwks, expected = (open(name).read().strip() for name in sys.argv[1:4])
expected = json.loads(expected)  # issuer, audience, nonce, subject, policies: [{id, sha256}], evidenceTypes
head, payload, signature = receipt.split(".")
header, claims = (json.loads(decode(part), object_pairs_hook=once) for part in (head, payload))
assert header["typ"] == "eat+jwt" and header["alg"] == "ES256" and "crit" not in header, "header"
[key] = [key for key in json.loads(jwks)["keys"] if key["kid"] == header["kid"]]
x, y, r, s = (int.from_bytes(part, "big") for part in (decode(key["x"]), decode(key["y"]), decode(signature)[:32], decode(signature)[32:]))
public_key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
public_key.verify(utils.encode_dss_signature(r, s), f"{head}.{payload}".encode(), ec.ECDSA(SHA256()))
assert claims["iss"] == expected["issuer"], "another issuer"
assert claims["aud"] == expected["audience"], "another audience, or no allow"
assert claims["eat_nonce"] == expected["nonce"], "another nonce: the receipt is of another request"
assert claims["nbf"] - 60 <= time.time() < claims["exp"] <= claims["iat"] + 300, "not valid now"
assert claims["sub"] == expected["subject"], "another tenant or policy"
found = [{"id": policy["id"], "sha256": policy["sha256"]} for policy in claims["policies"]]
assert found == expected["policies"], "another policy, or another text of it"
assert claims["evidence"]["type"] in expected["evidenceTypes"], "another type of evidence"
assert claims["decision"] == "allow", "no allow"
