//! The cache of snapshots: the one place under `pricing` that touches files.
//!
//! In: a folder. Out: snapshots that read back and have the digest that their name says. A snapshot is written beside its place,
//! flushed, and renamed into it, so that a process that dies at any moment leaves the last good one. Writers take turns by a lock, and
//! each builds on the newest snapshot, so that none loses what another brought. Reading takes no lock and needs no right to write.
//!
//! ```text
//! snapshots/20261126T013000Z-<sha256>.json.gz    pinned (a digest)    lock
//! ```

use super::codes;
use super::snapshot::Snapshot;
use super::snapshot_file::{self, damaged};
use crate::diagnostic::{Diagnostic, Severity};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The cache in a folder, which need not exist yet.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// Makes an empty file to write to; tests put a full disk here.
    create: fn(&Path) -> io::Result<File>,
    /// Longest wait for another writer.
    patience: Duration,
}

/// A snapshot in the cache by its name; it has not been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was put together, in whole seconds.
    pub taken_at: Timestamp,
    /// SHA-256 in hex.
    pub digest: String,
    /// File.
    pub path: PathBuf,
}

/// A snapshot of the cache.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// SHA-256 in hex.
    pub digest: String,
    /// File.
    pub path: PathBuf,
    /// Contents.
    pub snapshot: Snapshot,
}

/// What was read, and warnings about what was skipped.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// What was read.
    pub found: T,
    /// Damaged snapshots, each by its file.
    pub findings: Vec<Diagnostic>,
}

/// What [`Store::append`] wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Appended<T> {
    /// The new snapshot, where one was made.
    pub kept: Option<Kept>,
    /// What else came of making it.
    pub made: T,
    /// Damaged snapshots that were passed over.
    pub findings: Vec<Diagnostic>,
}

const ENDING: &str = ".json.gz";
const UNFINISHED: &str = ".tmp";
const STAMP: &str = "%Y%m%dT%H%M%SZ";
/// Shorter beginnings of a digest meet by chance.
const LEAST_HEX: usize = 6;
const TURN: Duration = Duration::from_millis(20);

impl Store {
    /// The cache in `root`. Nothing is touched yet.
    #[must_use]
    pub fn open(root: PathBuf) -> Self {
        Self { root, create: |path| File::create(path), patience: Duration::from_secs(60) }
    }

    /// Where snapshots are.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// Snapshots by their names, oldest first; nothing is read. Other files are passed over.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn entries(&self) -> Result<Vec<Entry>, Diagnostic> {
        let folder = self.folder();
        let files = match fs::read_dir(&folder) {
            Ok(files) => files,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(unusable(&folder, "read", &fault)),
        };
        let mut entries = Vec::new();
        for file in files {
            let path = file.map_err(|fault| unusable(&folder, "read", &fault))?.path();
            entries.extend(entry(path));
        }
        entries.sort_by(|a, b| (a.taken_at, &a.digest).cmp(&(b.taken_at, &b.digest)));
        Ok(entries)
    }

    /// The newest snapshot that is whole; damaged ones are passed over, with a warning.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn latest(&self) -> Result<Found<Option<Kept>>, Diagnostic> {
        let mut findings = Vec::new();
        for entry in self.entries()?.into_iter().rev() {
            match read(&entry) {
                Ok(kept) => return Ok(Found { found: Some(kept), findings }),
                Err(fault) => findings.push(passed_over(fault)),
            }
        }
        Ok(Found { found: None, findings })
    }

    /// All snapshots, oldest first, each read when its turn comes: years of them are more than memory should hold. A damaged one is
    /// a warning in its place.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn each(&self) -> Result<impl Iterator<Item = Result<Kept, Diagnostic>>, Diagnostic> {
        Ok(self.entries()?.into_iter().map(|entry| read(&entry).map_err(passed_over)))
    }

    /// All snapshots that are whole, oldest first, in memory.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn all(&self) -> Result<Found<Vec<Kept>>, Diagnostic> {
        let mut all = Found { found: Vec::new(), findings: Vec::new() };
        for read in self.each()? {
            match read {
                Ok(kept) => all.found.push(kept),
                Err(warning) => all.findings.push(warning),
            }
        }
        Ok(all)
    }

    /// The snapshot whose digest begins so; at least six hex digits.
    ///
    /// # Errors
    /// None, several, or a damaged one.
    pub fn find(&self, beginning: &str) -> Result<Kept, Diagnostic> {
        let entries = self.entries()?;
        let wanted = beginning.trim().trim_start_matches("sha256:").to_ascii_lowercase();
        if wanted.len() < LEAST_HEX || !wanted.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(no_snapshot(format!("`{beginning}` is no digest: at least {LEAST_HEX} hex digits are needed"), &entries));
        }
        let fitting: Vec<&Entry> = entries.iter().filter(|entry| entry.digest.starts_with(&wanted)).collect();
        match fitting.as_slice() {
            [only] => read(only),
            [] => Err(no_snapshot(format!("no snapshot `{wanted}` in `{}`", self.folder().display()), &entries)),
            several => Err(no_snapshot(format!("`{wanted}` begins the names of {} snapshots", several.len()), &entries)),
        }
    }

    /// The snapshot that plans are made on: the pinned one, else the newest.
    ///
    /// # Errors
    /// The pinned one is missing or damaged: another one in its place would change plans in silence.
    pub fn current(&self) -> Result<Found<Option<Kept>>, Diagnostic> {
        let Some(digest) = self.pinned()? else { return self.latest() };
        let kept = self.find(&digest).map_err(|mut fault| {
            fault.message = format!("the pinned snapshot: {}", fault.message);
            fault.help("pin another one, or remove the pin");
            fault
        })?;
        Ok(Found { found: Some(kept), findings: Vec::new() })
    }

    /// Digest of the pinned snapshot.
    ///
    /// # Errors
    /// The pin cannot be read, or is no digest.
    pub fn pinned(&self) -> Result<Option<String>, Diagnostic> {
        let path = self.pin_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(unusable(&path, "read", &fault)),
        };
        let digest = text.trim();
        if is_digest(digest) { Ok(Some(digest.to_owned())) } else { Err(damaged(&path.display().to_string(), "it holds no digest")) }
    }

    /// Pins the snapshot whose digest begins so: [`Store::current`] gives it until it is unpinned, whatever is refreshed.
    ///
    /// # Errors
    /// No such snapshot, or the cache cannot be written.
    pub fn pin(&self, beginning: &str) -> Result<Kept, Diagnostic> {
        let kept = self.find(beginning)?;
        self.with_lock(|| self.write(&self.pin_file(), format!("{}\n", kept.digest).as_bytes()))?;
        Ok(kept)
    }

    /// Removes the pin; says whether there was one.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn unpin(&self) -> Result<bool, Diagnostic> {
        match fs::remove_file(self.pin_file()) {
            Ok(()) => Ok(true),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(fault) => Err(unusable(&self.pin_file(), "written", &fault)),
        }
    }

    /// Writes the snapshot that `make` builds on the newest one, which it gets as it is at that moment and no other process changes
    /// meanwhile; nothing where it makes none. It is also the newest by its name: where the clock says that it is older than what is there, it is moved to one
    /// second after, else the next refresh would build on the wrong one.
    ///
    /// # Errors
    /// The cache cannot be written, or another process holds it too long. What was there is untouched.
    pub fn append<T>(&self, make: impl FnOnce(Option<Snapshot>) -> (Option<Snapshot>, T)) -> Result<Appended<T>, Diagnostic> {
        self.with_lock(|| {
            let Found { found, findings } = self.latest()?;
            let newest = found.as_ref().map(|kept| whole_seconds(kept.snapshot.taken_at));
            let (next, made) = make(found.map(|kept| kept.snapshot));
            let Some(mut snapshot) = next else { return Ok(Appended { kept: None, made, findings }) };
            if let Some(newest) = newest.filter(|newest| whole_seconds(snapshot.taken_at) <= *newest) {
                snapshot.taken_at = newest.checked_add(SignedDuration::from_secs(1)).unwrap_or(newest);
            }
            let bytes = snapshot_file::encode(&snapshot)?;
            let digest = snapshot_file::digest(&bytes);
            let path = self.folder().join(format!("{}-{digest}{ENDING}", snapshot.taken_at.strftime(STAMP)));
            let packed = snapshot_file::pack(&bytes).map_err(|fault| unusable(&path, "written", &fault))?;
            self.write(&path, &packed)?;
            Ok(Appended { kept: Some(Kept { digest, path, snapshot: snapshot.sorted() }), made, findings })
        })
    }

    /// Does `work` while no other process, and no other thread, writes here. What a dead process left unfinished is cleared away first.
    ///
    /// # Errors
    /// The folder cannot be made or locked; those of `work`.
    pub fn with_lock<T>(&self, work: impl FnOnce() -> Result<T, Diagnostic>) -> Result<T, Diagnostic> {
        let folder = self.folder();
        fs::create_dir_all(&folder).map_err(|fault| unusable(&folder, "written", &fault))?;
        let path = self.root.join("lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|fault| unusable(&path, "written", &fault))?;
        self.wait_for(&lock, &path)?;
        for folder in [&self.root, &folder] {
            remove_unfinished(folder);
        }
        // The lock goes with the file's handle, also where the process dies.
        work()
    }

    fn wait_for(&self, lock: &File, path: &Path) -> Result<(), Diagnostic> {
        let mut waited = Duration::ZERO;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(fault)) => return Err(unusable(path, "locked", &fault)),
                Err(TryLockError::WouldBlock) if waited >= self.patience => {
                    let message = format!("another process has held `{}` for {} s", path.display(), self.patience.as_secs());
                    let mut fault = Diagnostic::new(codes::CACHE_UNWRITABLE, Severity::Error, message);
                    fault.help("wait until the other refresh is done, or end it; nothing was lost");
                    return Err(fault);
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(TURN);
                    waited += TURN;
                }
            }
        }
    }

    /// Puts a file in its place in one step, flushed to the disk before and after. Under the lock only.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Diagnostic> {
        let unfinished = unfinished(path);
        let written = self.write_beside(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            // Best effort: the next writer clears it away.
            let _ = fs::remove_file(&unfinished);
        }
        let flushed = written.and_then(|()| path.parent().map_or(Ok(()), flush_folder));
        flushed.map_err(|fault| unusable(path, "written", &fault))
    }

    fn write_beside(&self, unfinished: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = (self.create)(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn pin_file(&self) -> PathBuf {
        self.root.join("pinned")
    }
}

/// A hidden name beside the file's own.
fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}{UNFINISHED}"))
}

/// Under the lock nobody is writing: what is unfinished is of a process that is dead. Best effort, since it does no harm.
fn remove_unfinished(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(UNFINISHED) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// A rename is on the disk when its folder is. Only Unix lets a folder be opened for that.
#[cfg(unix)]
fn flush_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn flush_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn entry(path: PathBuf) -> Option<Entry> {
    let name = path.file_name()?.to_str()?;
    let (stamp, digest) = name.strip_suffix(ENDING)?.split_once('-')?;
    let taken_at = TimeZone::UTC.to_timestamp(DateTime::strptime(STAMP, stamp).ok()?).ok()?;
    is_digest(digest).then(|| Entry { taken_at, digest: digest.to_owned(), path: path.clone() })
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_nanosecond().div_euclid(1_000_000_000) as i64).unwrap_or(at)
}

/// Reads a snapshot and holds it against its name.
fn read(entry: &Entry) -> Result<Kept, Diagnostic> {
    let name = entry.path.display().to_string();
    let packed = fs::read(&entry.path).map_err(|fault| damaged(&name, &format!("it cannot be read ({fault})")))?;
    let bytes = snapshot_file::unpack(&packed).map_err(|fault| damaged(&name, &format!("it cannot be unpacked ({fault})")))?;
    if snapshot_file::digest(&bytes) != entry.digest {
        return Err(damaged(&name, "its contents are not those that its name stands for"));
    }
    let snapshot = snapshot_file::decode(&bytes, &name)?;
    if whole_seconds(snapshot.taken_at) != entry.taken_at {
        return Err(damaged(&name, "its name has another time than its contents"));
    }
    Ok(Kept { digest: entry.digest.clone(), path: entry.path.clone(), snapshot })
}

/// A damaged snapshot that is not the one that was asked for.
fn passed_over(mut fault: Diagnostic) -> Diagnostic {
    fault.severity = Severity::Warning;
    fault.help("it is passed over; delete the file to be rid of this warning");
    fault
}

fn unusable(path: &Path, what: &str, fault: &io::Error) -> Diagnostic {
    let message = format!("the price cache `{}` cannot be {what}: {fault}", path.display());
    let mut diagnostic = Diagnostic::new(codes::CACHE_UNWRITABLE, Severity::Error, message);
    diagnostic.help(match fault.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room, or set GPUPLAN_CACHE_DIR to a folder on another disk; the snapshots that are there are untouched"
        }
        _ => "set GPUPLAN_CACHE_DIR to a folder that can be written; the snapshots that are there are untouched",
    });
    diagnostic
}

fn no_snapshot(message: String, entries: &[Entry]) -> Diagnostic {
    let mut fault = Diagnostic::new(codes::NO_SNAPSHOT, Severity::Error, message);
    let newest: Vec<String> = entries
        .iter()
        .rev()
        .take(3)
        .map(|entry| format!("`{}` of {}", &entry.digest[..12], entry.taken_at.strftime("%Y-%m-%d %H:%M UTC")))
        .collect();
    fault.help(if newest.is_empty() {
        "the cache is empty: `gpuplan prices refresh` makes the first snapshot".to_owned()
    } else {
        format!("newest first: {}", newest.join(", "))
    });
    fault
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests;
