//! File systems that cannot exchange two folders, rename a folder, link files or keep modes.

use crate::lab::Lab;

use super::disk::with_mounts;

/// A cluster in two states. The second has new names for its members, and one client less.
fn write_manifests(lab: &Lab) {
    let members = |extra: &str| {
        format!(
            "cluster: lab\n\
             etcd:\n\
             \x20 - {{ name: etcdone, ip: 192.168.29.61{extra} }}\n\
             \x20 - {{ name: etcdtwo, ip: 192.168.29.62{extra} }}\n\
             \x20 - {{ name: etcdthree, ip: 192.168.29.63{extra} }}\n"
        )
    };
    let client = "clients:\n  - { name: backup, host: backuphost }\n";
    lab.write("first.yaml", members("") + client);
    lab.write("second.yaml", members(", sans: [etcd.example.com]") + client);
    lab.write("third.yaml", members(", sans: [etcd.example.com]"));
}

/// A folder on bindfs, which supports neither `RENAME_EXCHANGE` nor `RENAME_NOREPLACE`, like most of FUSE.
const BINDFS: &str = r#"
    mkdir there behind
    bindfs behind there || exit 97
    trap "umount -l $PWD/there" EXIT
"#;

/// A wrapper of etcdpki in which hard links fail.
const WITHOUT_LINKS: &str = r#"
    {
        echo '#!/bin/sh'
        echo 'exec strace -f -qq -o /dev/null -e trace=link,linkat \'
        echo "    -e inject=link,linkat:error=EPERM '$etcdpki' \"\$@\""
    } >without-links
    chmod +x without-links
    etcdpki=$PWD/without-links
"#;

/// A first run, a change of every member, and one client less, in the mounted folder `there`.
const LIFE: &str = r#"
    cp first.yaml second.yaml third.yaml there
    cd there
    "$etcdpki" apply -f first.yaml >/dev/null
    "$etcdpki" plan -f first.yaml >/dev/null
    echo "keep me" >pki/hosts/etcdone/notes.txt
    touch -d 2020-02-02T02:02:02Z pki/hosts/etcdone/notes.txt
    "$etcdpki" apply -f second.yaml
    test "$(stat -c %Y pki/hosts/etcdone/notes.txt)" = "$(date -d 2020-02-02T02:02:02Z +%s)"
    "$etcdpki" plan -f second.yaml >/dev/null
    test "$(cat pki/hosts/etcdone/notes.txt)" = "keep me"
    rm pki/hosts/etcdone/notes.txt
    "$etcdpki" apply -f third.yaml --prune --yes
    "$etcdpki" plan -f third.yaml >/dev/null
    "$etcdpki" verify -f third.yaml >/dev/null
    test ! -e pki/hosts/backuphost
    "$etcdpki" issue --profile client api --out out
    "$etcdpki" issue --profile client api --out out --force
    "$etcdpki" verify out/api.pem --key out/api-key.pem >/dev/null
    test "$(ls -A out)" = "$(printf 'api-key.pem\napi.pem')"
    test -z "$(find . -name '.etcdpki-*')"
    cd ..
"#;

#[test]
fn a_file_system_that_cannot_exchange_folders_holds_a_cluster_all_its_life() {
    crate::peers::program("bindfs");
    let lab = Lab::new();
    write_manifests(&lab);
    let run = with_mounts(&lab, &format!("{BINDFS}{LIFE}"));
    assert!(run.stdout.contains("  reissue  etcdone/server.pem\n"), "{run:?}");
}

#[test]
fn the_lower_layer_of_an_overlay_holds_a_cluster_all_its_life() {
    let lab = Lab::new();
    write_manifests(&lab);
    // The folders are in the lower layer, such as the image of a container, and cannot be renamed.
    lab.ok(&["apply", "-f", "first.yaml"]);
    let mount = r"
        mkdir there image
        mv pki image
        mount -t tmpfs none there || exit 97
        mkdir there/upper there/work there/merged
        mount -t overlay none there/merged \
            -o lowerdir=$PWD/image,upperdir=$PWD/there/upper,workdir=$PWD/there/work || exit 97
        mount --move there/merged there || mount --bind there/merged there
    ";
    let run = with_mounts(&lab, &format!("{mount}{LIFE}"));
    assert!(run.stdout.contains("  reissue  etcdone/server.pem\n"), "{run:?}");
}

#[test]
fn a_folder_without_hard_links_holds_a_cluster_all_its_life() {
    crate::peers::program("strace");
    let lab = Lab::new();
    write_manifests(&lab);
    let run = with_mounts(&lab, &format!("mkdir there; {WITHOUT_LINKS}{LIFE}"));
    assert!(run.stdout.contains("  reissue  etcdone/server.pem\n"), "{run:?}");
}

#[test]
fn without_exchange_links_and_renames_that_keep_files() {
    crate::peers::program("bindfs");
    crate::peers::program("strace");
    let lab = Lab::new();
    write_manifests(&lab);
    let run = with_mounts(&lab, &format!("{BINDFS}{WITHOUT_LINKS}{LIFE}"));
    assert!(run.stdout.contains("  reissue  etcdone/server.pem\n"), "{run:?}");
}

/// A network file system may report a full disk only at a sync, so there cfssljson syncs also a leaf.
#[test]
fn cfssljson_syncs_a_leaf_where_a_full_disk_may_be_reported_late() {
    crate::peers::program("bindfs");
    crate::peers::program("strace");
    let lab = Lab::new();
    lab.write("ca.json", r#"{"CN": "CA"}"#);
    lab.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone"]}"#);
    let script = r#"
        "$etcdpki" cfssl gencert -initca ca.json | "$etcdpki" cfssljson -bare ca
        "$etcdpki" cfssl gencert -ca ca.pem -ca-key ca-key.pem leaf.json >leaf.out
        traced() { strace -o trace -e trace=fsync "$etcdpki" cfssljson -f leaf.out -bare "$1"; grep -c fsync trace || true; }
        echo "local: $(traced local/leaf) there: $(traced there/leaf)"
    "#;
    let run = with_mounts(&lab, &format!("mkdir local; {BINDFS}{script}"));
    assert!(run.stdout.contains("local: 0 there: 3\n"), "{run:?}");
}

/// vfat, some network file systems, and FUSE with options: files have the mode of the mount.
#[test]
fn a_file_system_that_does_not_keep_modes_gets_no_key() {
    crate::peers::program("bindfs");
    let lab = Lab::with_ca(&[]);
    let run = with_mounts(
        &lab,
        r#"
        mkdir there behind
        bindfs --perms=a+r --chmod-ignore behind there || exit 97
        trap "umount -l $PWD/there" EXIT
        try() { code=0; "$etcdpki" "$@" || code=$?; echo "exit $code from etcdpki $*" >&2; }
        try issue --profile client api --out there
        try init-ca --dir there/pki
        test -z "$(find behind -type f -size +0)" || { find behind -type f; exit 1; }
        "#,
    );
    let says =
        "the file system does not keep file modes: a file created with mode 0600 has mode 0644";
    assert_eq!(run.stderr.matches(says).count(), 2, "{run:?}");
    assert_eq!(run.stderr.matches("exit 3 from").count(), 2, "{run:?}");
}

/// FAT in an image file: no hard links, no exchange of folders, and every file has mode 0700.
#[test]
fn fat_gets_no_key_and_says_why() {
    crate::peers::program("fusefat");
    let lab = Lab::with_ca(&[]);
    write_manifests(&lab);
    let run = with_mounts(
        &lab,
        r#"
        mkdir there
        truncate -s 16M image
        PATH=$PATH:/sbin:/usr/sbin
        mkfs.vfat image >/dev/null
        fusefat -o rw+ image there >/dev/null 2>&1 || exit 97
        trap "umount -l $PWD/there" EXIT
        cp first.yaml there
        try() { code=0; "$etcdpki" "$@" || code=$?; echo "exit $code from etcdpki $*" >&2; }
        try apply -f there/first.yaml
        try init-ca --dir there/other
        try issue --profile client api --out there
        test -z "$(find there -type f -name '*key*' -size +0)" || { find there -type f; exit 1; }
        "#,
    );
    let says =
        "the file system does not keep file modes: a file created with mode 0600 has mode 0700";
    assert_eq!(run.stderr.matches(says).count(), 3, "{run:?}");
    assert_eq!(run.stderr.matches("exit 3 from").count(), 3, "{run:?}");
}

/// exFAT whose mount options give every file mode 0600: it has neither hard links nor an exchange of folders.
#[test]
#[ignore = "mounts a loop device as root: cargo test -p pki-cli --test cli exfat -- --ignored"]
fn exfat_that_is_mounted_for_one_user_holds_a_cluster_all_its_life() {
    let lab = Lab::new();
    write_manifests(&lab);
    let mount = r#"
        mkdir there
        truncate -s 16M image
        PATH=$PATH:/sbin:/usr/sbin
        mkfs.exfat image >/dev/null
        device=$(losetup --find --show image)
        trap "umount -l $PWD/there; losetup -d $device" EXIT
        mount.exfat-fuse -o fmask=0177,dmask=0077 "$device" there 2>/dev/null || exit 97
    "#;
    let run = with_mounts(&lab, &format!("{mount}{LIFE}"));
    assert!(run.stdout.contains("  reissue  etcdone/server.pem\n"), "{run:?}");
}
