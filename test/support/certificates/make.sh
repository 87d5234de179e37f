#!/usr/bin/env bash
# Makes the certificates of the tests, valid for 100 years: `test/support/certificates/make.sh`. Their keys are public,
# so nothing outside the tests may trust them. Needs OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -f -- *.crt *.key *.pem passphrase

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
from=20200101000000Z
to=21191231235959Z
past=20210101000000Z

cat >"$work/ca.cnf" <<END
[ca]
default_ca = this
[this]
dir = $work
database = $work/\$ENV::AUTHORITY.index
rand_serial = yes
new_certs_dir = $work
policy = any
default_md = sha256
unique_subject = no
copy_extensions = copy
default_crl_days = 36500
[any]
commonName = supplied
organizationName = optional
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature, keyEncipherment
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END

# key FILE [rsa]
key() {
  if [[ ${2:-ec} == rsa* ]]; then
    local bits=${2#rsa}
    openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${bits:-2048}" -out "$1.key"
  else openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; fi
}

# sign AUTHORITY FILE COMMON_NAME EXTENSION_SECTION END [SUBJECT_ALT_NAMES]
sign() {
  local names=()
  if [[ -n ${6:-} ]]; then names=(-addext "subjectAltName=$6"); fi
  openssl req -new -key "$2.key" -subj "/O=drover test/CN=$3" "${names[@]}" -out "$work/$2.csr" 2>/dev/null
  local self=()
  if [[ $1 == "$2" ]]; then self=(-selfsign); fi
  AUTHORITY=$1 openssl ca -batch -notext -config "$work/ca.cnf" -extensions "$4" -startdate "$from" -enddate "$5" \
    -keyfile "$1.key" -cert "$1.crt" "${self[@]}" -in "$work/$2.csr" -out "$work/$2.crt" 2>/dev/null
  mv "$work/$2.crt" "$2.crt"
}

# authority FILE COMMON_NAME
authority() {
  : >"$work/$1.index"
  key "$1"
  sign "$1" "$1" "$2" authority "$to"
}

# leaf AUTHORITY FILE COMMON_NAME END SUBJECT_ALT_NAMES [rsa]
leaf() {
  key "$2" "${6:-ec}"
  sign "$1" "$2" "$3" leaf "$4" "$5"
}

# crl AUTHORITY FILE
crl() { AUTHORITY=$1 openssl ca -config "$work/ca.cnf" -gencrl -keyfile "$1.key" -cert "$1.crt" \
  -crl_lastupdate "$from" -crl_nextupdate "$to" -out "$2.pem" 2>/dev/null; }

authority ca "drover test CA"
authority rogue-ca "rogue CA"
local_names=DNS:localhost,IP:127.0.0.1,IP:::1
leaf ca server localhost "$to" "$local_names"
leaf ca server-renewed localhost "$to" "$local_names"
leaf ca server-rsa localhost "$to" "$local_names" rsa
leaf ca server-expired localhost "$past" "$local_names"
leaf ca a.example a.example "$to" DNS:a.example
leaf ca b.example b.example "$to" DNS:b.example
leaf ca wildcard.example "*.c.example" "$to" "DNS:*.c.example"
leaf ca weak weak.example "$to" DNS:weak.example rsa512
leaf ca client device-1 "$to" DNS:device-1.example,URI:urn:device:1,email:device-1@example.net
leaf ca client-expired device-2 "$past" DNS:device-2.example
leaf ca client-revoked device-3 "$to" DNS:device-3.example
leaf rogue-ca client-rogue device-1 "$to" DNS:device-1.example

crl ca crl-empty
AUTHORITY=ca openssl ca -config "$work/ca.cnf" -keyfile ca.key -cert ca.crt -revoke client-revoked.crt 2>/dev/null
crl ca crl

echo "correct horse battery staple" >passphrase
openssl pkcs8 -topk8 -v2 aes-256-cbc -in server.key -out server-encrypted.key -passout file:passphrase
