//! What goes wrong with the cache: processes that die, disks that are full, folders that are none, damage, two at once.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::{Answer, Fault, public};
use super::desk::{Desk, files, ran, read_now, rows};
use super::expected::golden;
use super::faults::good;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const AZURE: &str = "--cloud azure --region eastus --retries 0 --timeout 10";
const KEPT: &str = "the snapshots that are there are untouched";

fn late(route: &'static str, wait_ms: u64) -> Fault {
    Fault::on(route, move |_, answer| Answer::Late(Duration::from_millis(wait_ms), Box::new(answer)))
}

/// Waits until something is so; fails after ten seconds.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Killed while it waits for the second page; then the next run works, and clears away what a dead process left.
#[test]
fn killed_in_mid_refresh() {
    let server = public(vec![late("$skip=10", 2000).first(1)]);
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    let mut child = desk.command(&[&["prices", "refresh"], &AZURE.split(' ').collect::<Vec<_>>()[..]].concat());
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the second page is asked for", || server.asked_for("$skip=10") == 1);
    // SIGKILL on Unix: nothing in the program runs any more.
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    assert_eq!(desk.snapshots(), before);
    desk.run(&["prices", "show", "azure/eastus/Standard_NC24ads_A100_v4/on-demand"]).ends(0).says(&["$3.7000 an hour"]);

    // As if it had died while it wrote.
    let unfinished = desk.cache().join("prices/snapshots/.20261126T013000Z-00.json.gz.tmp");
    fs::write(&unfinished, b"half a snap").unwrap();
    desk.refresh(AZURE).ends(0).says(&["read: azure/eastus"]);
    assert!(!unfinished.exists());
    let after = desk.snapshots();
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|(file, bytes)| after.get(file) == Some(bytes)));
}

/// Killed at any moment, the writing included: every snapshot that is there is whole, and the next run works.
#[test]
fn killed_at_any_moment() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    let arguments: Vec<&str> = ["prices", "refresh"].into_iter().chain(AZURE.split(' ')).collect();
    let started = Instant::now();
    ran(desk.command(&arguments).output().unwrap()).ends(0);
    let whole = started.elapsed();
    // In eighths of the time that a run takes, more of them towards its end.
    for eighths in [1, 3, 5, 6, 7, 8, 8, 9] {
        let mut child = desk.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole * eighths / 8);
        // It may be done by now.
        let _ = child.kill();
        child.wait().unwrap();
        let listed = desk.run(&["prices", "snapshots"]);
        assert!(!listed.ends(0).err.contains("E1841"), "{}", listed.err);
    }
    desk.refresh(AZURE).ends(0);
    assert!(before.iter().all(|(file, bytes)| desk.snapshots().get(file) == Some(bytes)));
    assert!(files(&desk.cache().join("prices/snapshots")).keys().all(|name| !name.ends_with(".tmp")));
}

/// Each builds on what is there when it writes: none loses what another brought.
#[test]
fn several_refreshes_at_once() {
    let server = public(vec![late("/azure/", 200), late("/aws/", 100)]);
    let desk = Desk::at(&server);
    let asks = [
        "--cloud azure --region eastus --retries 0",
        "--cloud azure --region westeurope --retries 0",
        "--cloud aws --region us-east-1 --retries 0",
        "--cloud gcp --region us-central1 --retries 0",
    ];
    let runs = asks.map(|ask| {
        let arguments: Vec<&str> = ["prices", "refresh"].into_iter().chain(ask.split(' ')).collect();
        desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for run in runs {
        ran(run.wait_with_output().unwrap()).ends(0);
    }
    assert_eq!(desk.snapshots().len(), 4);
    let newest = desk.newest();
    let refreshed: Vec<&str> = newest["refreshed"].as_array().unwrap().iter().map(|r| r["region"].as_str().unwrap()).collect();
    assert_eq!(refreshed, ["us-east-1", "eastus", "westeurope", "us-central1"]);
    let rows = rows(&newest);
    for name in [
        "azure/eastus/Standard_NC24ads_A100_v4/on-demand",
        "azure/westeurope/Standard_NC40ads_H100_v5/spot",
        "aws/us-east-1/g6e.xlarge/on-demand",
        "gcp/us-central1/a2-highgpu-1g/on-demand",
    ] {
        assert!(rows[name].get("read_at").is_some(), "{name} is lost");
    }
}

/// A limit on the size of files stands in for a full disk: the write fails in its middle, whoever runs this.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full() {
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    let program = desk.command(&[]);
    // Blocks of 512 or 1024 bytes; the signal is ignored, so that the write fails as it does where there is no room.
    let script = format!("trap '' XFSZ; ulimit -f 4; exec \"$0\" prices refresh {AZURE}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(program.get_program()).current_dir(desk.home()).stdin(Stdio::null());
    for (variable, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(variable, value),
            None => shell.env_remove(variable),
        };
    }
    ran(shell.output().unwrap()).ends(3).says(&[
        "error[E1840]",
        "the price cache",
        "cannot be written",
        "set GPUPLAN_CACHE_DIR to a folder",
        KEPT,
    ]);
    assert_eq!(desk.snapshots(), before);
    assert!(files(&desk.cache().join("prices")).keys().all(|name| !name.ends_with(".tmp")));
    // There is room again.
    desk.refresh(AZURE).ends(0);
    assert_eq!(desk.snapshots().len(), before.len() + 1);
}

/// A file stands where a folder should be: no right to write helps there, whoever runs this.
#[test]
fn folders_that_cannot_be_written() {
    let server = public(Vec::new());
    let mut desk = Desk::at(&server);
    let file = desk.home().join("file");
    fs::write(&file, "no folder").unwrap();
    desk.set("GPUPLAN_CACHE_DIR", file.to_str().unwrap());
    desk.refresh(AZURE).ends(3).says(&["error[E1840]", "the price cache", KEPT]);
    desk.run(&["prices", "snapshots"]).ends(3).says(&["E1840"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "no folder");

    // Only the place of the lock is taken: what is there can be read.
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    let lock = desk.cache().join("prices/lock");
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    desk.refresh(AZURE).ends(3).says(&["error[E1840]", KEPT]);
    desk.run(&["prices", "pin"]).ends(3).says(&["error[E1840]"]);
    assert_eq!(desk.snapshots(), before);
    desk.run(&["prices", "show", "azure/eastus/Standard_NC24ads_A100_v4/on-demand"]).ends(0).says(&["$3.7000 an hour"]);

    let mut homeless = Desk::at(&server);
    homeless.set("GPUPLAN_CACHE_DIR", "");
    let mut command = homeless.command(&[&["prices", "refresh"], &AZURE.split(' ').collect::<Vec<_>>()[..]].concat());
    for variable in ["HOME", "USERPROFILE", "XDG_CACHE_HOME"] {
        command.env_remove(variable);
    }
    ran(command.output().unwrap()).ends(3).says(&["error[E1840]", "no folder for the cache", "name a folder in GPUPLAN_CACHE_DIR"]);
}

/// A cache that may be read only. Whoever may write anywhere (root) has no such folder, and the test above instead.
#[cfg(unix)]
#[test]
fn a_cache_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let server = public(Vec::new());
    let desk = Desk::at(&server);
    desk.take_cache_of(good());
    let before = desk.snapshots();
    let folders = ["prices/snapshots", "prices"].map(|folder| desk.cache().join(folder));
    let mode = |mode: u32| folders.iter().for_each(|folder| fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap());
    mode(0o555);
    let is_bound = fs::write(desk.cache().join("prices/probe"), "").is_err();
    let refreshed = desk.refresh(AZURE);
    let shown = desk.run(&["prices", "show", "azure/eastus/Standard_NC24ads_A100_v4/on-demand"]);
    mode(0o755);
    shown.ends(0).says(&["$3.7000 an hour"]);
    if is_bound {
        refreshed.ends(3).says(&["error[E1840]", KEPT]);
        assert_eq!(desk.snapshots(), before);
    } else {
        refreshed.ends(0);
    }
}

/// A damaged snapshot is passed over with a warning, and the next one builds on the one before it.
#[test]
fn snapshots_that_are_damaged() {
    let server = public(Vec::new());
    let folder = |desk: &Desk| desk.cache().join("prices/snapshots");
    type Damage = fn(&[u8]) -> Vec<u8>;
    let cases: [(Damage, &str); 4] = [
        (|bytes| bytes[..bytes.len() / 2].to_vec(), "cannot be unpacked"),
        (|_| Vec::new(), "its contents are not those that its name stands for"),
        (|_| b"<html>".to_vec(), "its contents are not those that its name stands for"),
        (|bytes| [&bytes[..bytes.len() / 2], &[!bytes[bytes.len() / 2]], &bytes[bytes.len() / 2 + 1..]].concat(), "is damaged"),
    ];
    for (damage, words) in cases {
        let desk = Desk::at(&server);
        desk.take_cache_of(good());
        let before = desk.snapshots();
        desk.refresh("--cloud azure --region westeurope --retries 0").ends(0);
        let after = desk.snapshots();
        let (newest, bytes) = after.last_key_value().unwrap();
        fs::write(folder(&desk).join(newest), damage(bytes)).unwrap();
        let listed = desk.run(&["prices", "list", "--gpu", "l40s"]);
        listed.ends(0).says(&["warning[E1841]", words, "it is passed over; delete the file to be rid of this warning", "1.8700"]);
        desk.run(&["prices", "snapshots"]).ends(0).says(&["warning[E1841]"]);
        desk.refresh(AZURE).ends(0).says(&["warning[E1841]"]);
        // Whoever wants to be rid of the warning deletes the file.
        fs::remove_file(folder(&desk).join(newest)).unwrap();
        assert!(before.iter().all(|(file, bytes)| desk.snapshots().get(file) == Some(bytes)));
        assert_eq!(read_now(&desk.newest()).len(), golden("public.csv").keys().filter(|name| name.starts_with("azure/eastus/")).count());
    }
}

/// The one that is pinned is gone or damaged: another in its place would change plans in silence.
#[test]
fn pinned_snapshots_that_are_gone() {
    let desk = Desk::with("http://127.0.0.1:1");
    desk.take_cache_of(good());
    desk.run(&["prices", "pin"]).ends(0).says(&[&desk.digest()[..12]]);
    let snapshots = desk.snapshots();
    let path = desk.cache().join("prices/snapshots").join(snapshots.first_key_value().unwrap().0);
    fs::write(&path, "damage").unwrap();
    desk.run(&["prices", "list"]).ends(2).says(&["error[E1841]", "the pinned snapshot", "pin another one, or remove the pin"]);
    fs::remove_file(&path).unwrap();
    desk.run(&["prices", "list"]).ends(2).says(&["error[E1842]", "the pinned snapshot", "pin another one, or remove the pin"]);
    desk.run(&["prices", "unpin"]).ends(0);
    desk.run(&["prices", "list", "--gpu", "l40s"]).ends(0).says(&["1.8610"]);
}

/// Names that stand for no snapshot.
#[test]
fn snapshots_that_nobody_has() {
    let desk = Desk::with("http://127.0.0.1:1");
    let list = |desk: &Desk, name: &str| desk.run(&["prices", "list", "--prices", name]);
    list(&desk, "0123456789ab").ends(2).says(&["error[E1842]", "no snapshot `0123456789ab`", "gpuplan prices refresh"]);
    desk.take_cache_of(good());
    list(&desk, "0123456789ab").ends(2).says(&["error[E1842]", &desk.digest()[..12]]);
    list(&desk, "abc").ends(2).says(&["error[E1842]", "at least 6 hex digits"]);
    list(&desk, "nowhere/prices.json").ends(2).says(&["error[E1842]", "`nowhere/prices.json`", "gpuplan prices pin --out FILE"]);
    let file = desk.home().join("prices.json");
    fs::write(&file, "{\"format\":\"gpuplan/plan/v1\"}").unwrap();
    list(&desk, file.to_str().unwrap()).ends(2).says(&["error[E1841]", "its format is `gpuplan/plan/v1`"]);
    list(&desk, &desk.digest()[..6]).ends(0);
}

/// Before the first refresh: the prices that are compiled in, and a hint.
#[test]
fn a_cache_that_is_empty() {
    let desk = Desk::with("http://127.0.0.1:1");
    desk.run(&["prices", "list", "--gpu", "l40s"]).ends(0).says(&["1.8610"]);
    desk.run(&["prices", "snapshots"]).ends(0).says(&["no snapshots in ", "`gpuplan prices refresh` takes one"]);
    desk.run(&["prices", "pin"]).ends(2).says(&["there is no snapshot to pin", "gpuplan prices refresh"]);
    desk.run(&["prices", "unpin"]).ends(0).says(&["nothing was pinned"]);
    desk.run(&["prices", "owned"]).ends(0).says(&["no commitments in the prices that are compiled in"]);
    desk.run(&["prices", "diff", "builtin"]).ends(0).says(&["no price differs"]);
    assert!(!desk.cache().exists(), "reading makes no folder");
}
