"""The key that signs tokens: made once, kept in the database, so that tokens outlive a restart."""

import json

from joserfc.jwk import RSAKey

from sandbox.database import Database


def signing_key(database: Database) -> RSAKey:
    """The organisation's RS256 key with its `kid`."""
    with database.write() as connection:
        stored = database.fact(connection, "signing_key")
        if stored:
            return RSAKey.import_key(json.loads(stored))
        key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)
        connection.execute("INSERT INTO facts VALUES ('signing_key', ?)", (json.dumps(key.as_dict(private=True)),))
        return key


def public_keys(key: RSAKey) -> dict[str, list]:
    """The JSON Web Key Set that clients verify with."""
    return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "RS256", "kid": key.kid}]}
