#
#   sh install.sh               installs on this machine, as root
#   sh install.sh --root DIR    installs in the root file system of an image
#
# It prints the path of each file that it changes, and nothing if there is nothing to change. It starts and restarts
# nothing. etcd reads certificates and keys again at each handshake; what needs a restart is named on stderr.
set -eu
LC_ALL=C # A key sorts directly before its certificate.
export LC_ALL
umask 077

die() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}

# Prints UID:GID of a user, or nothing. For an image, the names of this machine do not count.
ids_of() {
    if [ "$1" = root ]; then
        echo 0:0
    elif [ -n "$root" ]; then
        sed -n "s/^$1:[^:]*:\([0-9]*\):\([0-9]*\):.*/\1:\2/p" "$root/etc/passwd"
    elif id -u "$1" >/dev/null 2>&1; then
        printf '%s:%s\n' "$(id -u "$1")" "$(id -g "$1")"
    fi
}

# create_user NAME HOME: creates a system user with a group of the same name, unless it exists.
create_user() {
    [ -z "$(ids_of "$1")" ] || return 0
    group=--user-group
    ! grep -q "^$1:" "$root/etc/group" || group="--gid=$1"
    useradd ${root:+--prefix "$root"} --system "$group" --no-create-home --home-dir "$2" \
        --shell /usr/sbin/nologin "$1" >&2 || die "cannot create the user $1"
}

# need FILE...: ends the script if a file is missing beside it.
need() {
    for file do
        [ -f "$here/$file" ] || die "$here/$file is missing; copy the whole folder of the host"
    done
}

# set_access PATH OWNER MODE
set_access() {
    chown "$(ids_of "$2")" "$1"
    chmod "$3" "$1"
}

# make_folder PATH OWNER MODE
make_folder() {
    (umask 022 && mkdir -p "$root$1")
    set_access "$root$1" "$2" "$3"
}

# stage FOLDER OWNER MODE FILE...: writes the files that differ next to their places. A file that differs only in its
# owner or mode is corrected in its place.
stage() {
    folder=$root$1 owner=$2 mode=$3
    shift 3
    ids=$(ids_of "$owner")
    for file do
        place=$folder/$file
        if [ -L "$place" ] || ! cmp -s "$here/$file" "$place"; then
            mkdir -p "$folder/.etcdpki-new"
            cp "$here/$file" "$folder/.etcdpki-new/$file"
            set_access "$folder/.etcdpki-new/$file" "$owner" "$mode"
        elif [ -z "$(find "$place" -user "${ids%:*}" -group "${ids#*:}" -perm "$mode")" ]; then
            set_access "$place" "$owner" "$mode"
            printf '%s\n' "$place"
        fi
    done
}

# put FOLDER: renames the staged files to their places, one directly after the other, so that etcd hardly ever reads a
# new key with an old certificate.
put() {
    [ -d "$root$1/.etcdpki-new" ] || return 0
    folder=$root$1
    set -- "$folder/.etcdpki-new"/*
    mv -f "$@" "$folder/"
    rmdir "$folder/.etcdpki-new"
    for file do
        file=$folder/${file##*/}
        printf '%s\n' "$file"
        case $file in
            */ca.pem | */etcd.conf.yaml | */etcd.service) restart="$restart $file" ;;
        esac
    done
}

# reload: lets systemd read a new unit, and names the files that a running etcd has read before.
reload() {
    [ -z "$root" ] && [ -d /run/systemd/system ] || return 0
    systemctl daemon-reload
    if [ -n "$restart" ] && systemctl --quiet is-active etcd; then
        printf 'install.sh: restart etcd, one member after the other, to use%s\n' "$restart" >&2
    fi
}

root=
restart=
case "$#-${1-}" in
    0-) ;;
    2---root)
        root=${2%/}
        [ -d "$root/etc" ] || die "$2 has no folder etc; name the root file system of an image"
        ;;
    *) die 'usage: sh install.sh [--root DIR]' ;;
esac
[ "$(id -u)" = 0 ] || die 'run it as root'
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

