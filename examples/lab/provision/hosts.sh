#!/usr/bin/env bash
# Sets up every machine: the names of all machines, and a correct clock, because a certificate is not valid
# before its notBefore.
set -euo pipefail

grep -q 'masterone.example.com masterone' /etc/hosts || printf '%s\n' "$1" >>/etc/hosts
timedatectl set-ntp true
