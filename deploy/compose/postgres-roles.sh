#!/bin/sh
# Run once by the image of PostgreSQL, when it makes its data folder: the role that the replicas log in as. It owns nothing.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --quiet <<SQL
CREATE ROLE veritee_service LOGIN PASSWORD '$(cat /run/secrets/store-password)';
SQL
