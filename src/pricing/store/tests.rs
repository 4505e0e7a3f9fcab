//! The cache under faults: processes that die, folders that cannot be written, files that are damaged, two writers at once.

use super::*;
use crate::catalog::builtin;
use crate::pricing::snapshot::{Refreshed, from_builtin};
use std::sync::{Arc, Barrier};
use std::thread;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A snapshot with one price: what is between the brackets of `prices` in a cache that was refreshed at `taken_at`.
fn snapshot(taken_at: &str, usd_per_hour: f64) -> Snapshot {
    let mut snapshot = from_builtin(&builtin::catalog().unwrap(), at(taken_at));
    snapshot.rows.truncate(1);
    snapshot.rows[0].row.usd_per_hour = usd_per_hour;
    snapshot
}

fn append(store: &Store, taken_at: &str, usd_per_hour: f64) -> Result<Kept, Diagnostic> {
    store.append(|_| (Some(snapshot(taken_at, usd_per_hour)), ())).map(|appended| appended.kept.unwrap())
}

fn latest_price(store: &Store) -> Option<f64> {
    store.latest().unwrap().found.map(|kept| kept.snapshot.rows[0].row.usd_per_hour)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn cache() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path().join("cache"));
    (root, store)
}

#[test]
fn an_empty_cache_has_nothing_and_is_not_made_by_reading() {
    let (_root, store) = cache();
    assert_eq!(latest_price(&store), None);
    assert_eq!((store.all().unwrap().found, store.current().unwrap().found, store.pinned().unwrap()), (Vec::new(), None, None));
    assert!(!store.root.exists());
    let fault = store.find("abcdef").unwrap_err();
    assert_eq!(fault.code, codes::NO_SNAPSHOT);
    assert!(fault.help.unwrap().contains("gpuplan prices refresh"));
}

#[test]
fn snapshots_are_named_by_time_and_contents_and_read_back() {
    let (_root, store) = cache();
    let first = append(&store, "2026-11-26T01:30:00.123Z", 1.0).unwrap();
    let second = append(&store, "2026-11-26T01:30:05Z", 2.0).unwrap();
    assert_eq!(first.path.file_name().unwrap().to_string_lossy(), format!("20261126T013000Z-{}.json.gz", first.digest));
    assert_eq!(store.all().unwrap().found, [first.clone(), second.clone()]);
    assert_eq!(store.latest().unwrap().found, Some(second.clone()));
    assert_eq!(store.find(&first.digest[..6]).unwrap(), first);
    assert_eq!(store.find(&format!("sha256:{}", second.digest.to_uppercase())).unwrap(), second);
    for wrong in ["abc", "snapshot", "000000000"] {
        let fault = store.find(wrong).unwrap_err();
        assert_eq!(fault.code, codes::NO_SNAPSHOT, "{wrong}");
        assert!(fault.help.unwrap().contains(&second.digest[..12]));
    }
    let same_bytes = fs::read(&second.path).unwrap();
    fs::remove_file(&second.path).unwrap();
    append(&store, "2026-11-26T01:30:05Z", 2.0).unwrap();
    assert_eq!(fs::read(&second.path).unwrap(), same_bytes);
}

/// Each writer adds a region to what is there. Without the lock one of them would build on a snapshot without the other's.
#[test]
fn writers_at_once_lose_nothing() {
    const WRITERS: usize = 4;
    let (_root, store) = cache();
    let barrier = Arc::new(Barrier::new(WRITERS));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, barrier) = (store.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                let added = store.append(|newest| {
                    let mut next = newest.unwrap_or_else(|| snapshot("2026-11-26T00:00:00Z", 1.0));
                    let (cloud, taken_at) = (crate::domain::Cloud::Aws, at("2026-11-26T00:00:00Z"));
                    next.refreshed.push(Refreshed { cloud, region: format!("region-{writer}"), source: "public".to_owned(), taken_at });
                    (Some(next), writer)
                });
                added.unwrap().made
            })
        })
        .collect();
    let made: Vec<usize> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    assert_eq!(made, [0, 1, 2, 3]);
    let all = store.all().unwrap();
    assert_eq!(all.found.iter().map(|kept| kept.snapshot.refreshed.len()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(all.findings, []);
    assert_eq!(names(&store.root), ["lock", "snapshots"]);
}

#[test]
fn a_clock_that_was_set_back_does_not_make_the_newest_snapshot_an_old_one() {
    let (_root, store) = cache();
    append(&store, "2026-11-26T01:30:00.900Z", 1.0).unwrap();
    let kept = append(&store, "2026-11-25T00:00:00Z", 2.0).unwrap();
    assert_eq!(kept.snapshot.taken_at, at("2026-11-26T01:30:01Z"));
    assert_eq!(latest_price(&store), Some(2.0));
    assert_eq!(store.all().unwrap().found.last(), Some(&kept));
}

#[test]
fn a_writer_that_was_killed_leaves_the_last_good_snapshot() {
    let (_root, store) = cache();
    let good = append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    let half = fs::read(&good.path).unwrap();
    let left = unfinished(&store.folder().join("20261126T010000Z-00.json.gz"));
    fs::write(&left, &half[..half.len() / 2]).unwrap();
    fs::write(unfinished(&store.pin_file()), "ab").unwrap();
    let seen = store.latest().unwrap();
    assert_eq!((seen.found, seen.findings), (Some(good), Vec::new()), "an unfinished file is not even looked at");
    append(&store, "2026-11-26T02:00:00Z", 2.0).unwrap();
    assert!(!left.exists(), "the next writer clears it away");
    assert_eq!(names(&store.root), ["lock", "snapshots"]);
    assert_eq!(names(&store.folder()).len(), 2);
}

#[test]
fn damaged_snapshots_are_passed_over_by_name() {
    let (_root, store) = cache();
    let good = append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    let cut = append(&store, "2026-11-26T01:00:00Z", 2.0).unwrap();
    let other = append(&store, "2026-11-26T02:00:00Z", 3.0).unwrap();
    let renamed = append(&store, "2026-11-26T03:00:00Z", 4.0).unwrap();
    let bytes = fs::read(&cut.path).unwrap();
    fs::write(&cut.path, &bytes[..bytes.len() / 2]).unwrap();
    fs::copy(&good.path, &other.path).unwrap();
    let later = store.folder().join(format!("20270101T000000Z-{}.json.gz", renamed.digest));
    fs::rename(&renamed.path, &later).unwrap();
    fs::write(store.folder().join("notes.txt"), "no snapshot").unwrap();

    let seen = store.latest().unwrap();
    assert_eq!(seen.found, Some(good.clone()));
    let told: Vec<String> = seen.findings.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("20270101T000000Z") && told[0].contains("another time"), "{told:?}");
    assert!(told[1].contains(&other.digest) && told[1].contains("not those that its name stands for"), "{told:?}");
    assert!(told[2].contains(&cut.digest) && told[2].contains("cannot be unpacked"), "{told:?}");
    assert!(seen.findings.iter().all(|f| f.code == codes::DAMAGED && f.severity == Severity::Warning));
    assert_eq!(store.all().unwrap().found, std::slice::from_ref(&good));
    assert_eq!(store.find(&cut.digest).unwrap_err().code, codes::DAMAGED);

    let next = store.append(|newest| (Some(snapshot("2026-11-26T04:00:00Z", newest.unwrap().rows[0].row.usd_per_hour + 0.5)), ())).unwrap();
    assert_eq!((next.findings.len(), latest_price(&store)), (3, Some(1.5)), "built on the good one");
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let (_root, mut store) = cache();
    let good = append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    store.pin(&good.digest).unwrap();
    store.create = |_| File::options().write(true).open("/dev/full");
    let fault = append(&store, "2026-11-26T01:00:00Z", 2.0).unwrap_err();
    assert_eq!(fault.code, codes::CACHE_UNWRITABLE);
    assert!(fault.help.as_deref().unwrap().contains("make room, or set GPUPLAN_CACHE_DIR"), "{fault:?}");
    assert_eq!(store.pin(&good.digest).unwrap_err().code, codes::CACHE_UNWRITABLE);
    assert_eq!(store.current().unwrap().found, Some(good));
    assert_eq!(names(&store.folder()).len(), 1);
}

/// A disk that fills up in the middle of a file: half of it is there, and goes.
#[test]
fn a_write_that_breaks_off_leaves_no_half_file() {
    let (_root, mut store) = cache();
    append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    store.create = |path| {
        fs::write(path, "half")?;
        File::open(path)
    };
    let fault = append(&store, "2026-11-26T01:00:00Z", 2.0).unwrap_err();
    assert_eq!(fault.code, codes::CACHE_UNWRITABLE);
    assert_eq!((names(&store.folder()).len(), latest_price(&store)), (1, Some(1.0)));
}

#[test]
fn a_folder_that_is_a_file_or_cannot_be_made_is_told() {
    let (root, _) = cache();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for store in [Store::open(file.clone()), Store::open(file.join("below")), Store::open(PathBuf::from("/proc/gpuplan"))] {
        let fault = append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap_err();
        assert_eq!(fault.code, codes::CACHE_UNWRITABLE);
        assert!(fault.help.unwrap().contains("set GPUPLAN_CACHE_DIR"));
    }
    assert_eq!(Store::open(file).latest().unwrap_err().code, codes::CACHE_UNWRITABLE);
}

/// Whoever may write everywhere (root) writes; everybody else is told. Either way reading works.
#[cfg(unix)]
#[test]
fn a_read_only_cache_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let (_root, store) = cache();
    let good = append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    let allow = |mode| {
        for folder in [store.folder(), store.root.clone()] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o555);
    let read = (store.latest(), store.find(&good.digest), store.current());
    let may_write = File::create(store.root.join("probe")).is_ok();
    let written = append(&store, "2026-11-26T01:00:00Z", 2.0);
    allow(0o755);
    assert_eq!(read.0.unwrap().found, Some(good.clone()));
    assert_eq!(read.1.unwrap(), good);
    assert_eq!(read.2.unwrap().found, Some(good));
    assert_eq!(written.map_err(|fault| fault.code).map(|_| ()), if may_write { Ok(()) } else { Err(codes::CACHE_UNWRITABLE) });
}

#[test]
fn a_lock_that_is_held_too_long_is_told() {
    let (_root, mut store) = cache();
    append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    store.patience = Duration::from_millis(60);
    let fault = store.with_lock(|| append(&store, "2026-11-26T01:00:00Z", 2.0)).unwrap_err();
    assert_eq!(fault.code, codes::CACHE_UNWRITABLE);
    assert!(fault.message.starts_with("another process has held `"), "{fault}");
    assert_eq!(append(&store, "2026-11-26T01:00:00Z", 2.0).map(|_| latest_price(&store)), Ok(Some(2.0)), "it is free again");
}

#[test]
fn a_pin_holds_through_refreshes() {
    let (_root, store) = cache();
    let first = append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    assert_eq!(store.pin(&first.digest[..8]).unwrap(), first);
    let second = append(&store, "2026-11-26T01:00:00Z", 2.0).unwrap();
    assert_eq!(store.pinned().unwrap(), Some(first.digest.clone()));
    assert_eq!(store.current().unwrap().found, Some(first.clone()));
    assert_eq!(store.latest().unwrap().found, Some(second.clone()));
    assert_eq!((store.unpin().unwrap(), store.unpin().unwrap()), (true, false));
    assert_eq!(store.current().unwrap().found, Some(second));
    assert_eq!(store.pin("0123456").unwrap_err().code, codes::NO_SNAPSHOT);

    store.pin(&first.digest).unwrap();
    fs::remove_file(&first.path).unwrap();
    let fault = store.current().unwrap_err();
    assert_eq!(fault.code, codes::NO_SNAPSHOT);
    assert!(fault.message.starts_with("the pinned snapshot: "), "{fault}");
    fs::write(store.pin_file(), "first").unwrap();
    assert_eq!(store.current().unwrap_err().code, codes::DAMAGED);
}

#[test]
fn nothing_is_written_where_nothing_is_made() {
    let (_root, store) = cache();
    append(&store, "2026-11-26T00:00:00Z", 1.0).unwrap();
    let appended = store.append(|newest| (None, newest.is_some())).unwrap();
    assert_eq!((appended.kept, appended.made), (None, true));
    assert_eq!(store.entries().unwrap().len(), 1);
}
