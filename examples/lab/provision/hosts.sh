#!/usr/bin/env bash
# Sets up every machine: the names of all machines, and a correct clock, because a certificate is not valid
# before its notBefore. The argument is the list of the machines, as lines of /etc/hosts.
set -euo pipefail

# Vagrant writes the name of the machine itself, so each line is looked for separately.
while read -r line; do
    grep -qxF "$line" /etc/hosts || printf '%s\n' "$line" >>/etc/hosts
done <<<"$1"
timedatectl set-ntp true
