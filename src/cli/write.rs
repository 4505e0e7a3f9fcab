//! Writes a folder of artifacts all or nothing.
//!
//! Everything goes to a hidden sibling folder first and onto the disk; then the old folder is renamed aside, the new one takes
//! its name, and the old one goes. A fault on the way leaves what was there. A folder that holds anything else than what an earlier
//! run wrote is refused: the file `.gpuplan` in it lists that.

use crate::emit::Artifact;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

/// File that lists what was written, one path a line under a title.
pub const MARKER: &str = ".gpuplan";
/// First line of that file.
const TITLE: &str = "gpuplan/output/v1";
/// Foreign files that a refusal names.
const NAMED: usize = 5;

/// Where a write can fail, in order; tests fail it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Before the file of that index.
    File(usize),
    /// Before the old folder is renamed aside.
    OldAside,
    /// Before the new folder takes its name.
    NewIn,
}

/// Replaces the folder `dir` by these artifacts, or leaves everything as it was.
///
/// # Errors
/// `InvalidInput`: a path that is absolute, leaves the folder or comes twice. `AlreadyExists`: `dir` is a file or holds files that
/// no earlier run wrote. Anything else: the file system's own fault.
pub fn write_all(dir: &Path, artifacts: &[Artifact]) -> io::Result<()> {
    write_with(dir, artifacts, &mut |_| Ok(()))
}

/// Writes one file beside its place and renames it: it is there as a whole or not at all.
///
/// # Errors
/// The file system's own fault; what was there is untouched.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_default();
    name.push(format!(".new-{}", std::process::id()));
    let new = path.with_file_name(name);
    let written = File::create(&new).and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()));
    let written = written.and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // What is half written is ours alone; the first fault is the one to report.
        drop(fs::remove_file(&new));
    }
    written
}

fn write_with(dir: &Path, artifacts: &[Artifact], before: &mut dyn FnMut(Step) -> io::Result<()>) -> io::Result<()> {
    check_paths(artifacts)?;
    let places = Places::of(dir)?;
    places.recover()?;
    refuse_foreign(&places.dir)?;
    let written = fill(&places.new, artifacts, before).and_then(|()| places.swap(before));
    if written.is_err() {
        // What is half written is ours alone; the first fault is the one to report.
        drop(fs::remove_dir_all(&places.new));
    }
    written
}

/// The folder and its hidden siblings.
struct Places {
    parent: PathBuf,
    dir: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Places {
    fn of(dir: &Path) -> io::Result<Self> {
        // A link is followed, so that the link itself survives the swap.
        let dir = if dir.exists() { dir.canonicalize()? } else { std::path::absolute(dir)? };
        let (Some(parent), Some(name)) = (dir.parent(), dir.file_name()) else {
            return Err(fault(ErrorKind::InvalidInput, format!("`{}` cannot be an output folder", dir.display())));
        };
        fs::create_dir_all(parent)?;
        let sibling = |suffix: &str| parent.join(format!(".{}.gpuplan-{suffix}", name.to_string_lossy()));
        let new = sibling(&format!("new-{}", std::process::id()));
        Ok(Self { parent: parent.to_owned(), new, old: sibling("old"), dir: dir.clone() })
    }

    /// Ends what a run that was killed between two renames has left.
    fn recover(&self) -> io::Result<()> {
        if !self.old.exists() {
            return Ok(());
        }
        if self.dir.exists() { fs::remove_dir_all(&self.old) } else { fs::rename(&self.old, &self.dir) }
    }

    fn swap(&self, before: &mut dyn FnMut(Step) -> io::Result<()>) -> io::Result<()> {
        let replaces = self.dir.exists();
        before(Step::OldAside)?;
        if replaces {
            fs::rename(&self.dir, &self.old)?;
        }
        if let Err(error) = before(Step::NewIn).and_then(|()| fs::rename(&self.new, &self.dir)) {
            if replaces {
                fs::rename(&self.old, &self.dir)?;
            }
            return Err(error);
        }
        sync(&self.parent)?;
        if replaces { fs::remove_dir_all(&self.old) } else { Ok(()) }
    }
}

fn fault(kind: ErrorKind, message: String) -> io::Error {
    io::Error::new(kind, message)
}

fn check_paths(artifacts: &[Artifact]) -> io::Result<()> {
    let mut seen = BTreeSet::new();
    for Artifact { path, contents: _ } in artifacts {
        let inside = Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
        let plain = !path.is_empty() && path != MARKER && !path.contains(['\\', '\n', '\r', '\0']);
        if !inside || !plain || !seen.insert(path) {
            return Err(fault(ErrorKind::InvalidInput, format!("`{}` is no path for an output file", path.escape_debug())));
        }
    }
    Ok(())
}

/// Refuses a folder that holds files no earlier run wrote.
fn refuse_foreign(dir: &Path) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    if !dir.is_dir() {
        return Err(fault(ErrorKind::AlreadyExists, format!("`{}` is there and is no folder", dir.display())));
    }
    let ours = match fs::read_to_string(dir.join(MARKER)) {
        Ok(text) => listed(&text),
        Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
        Err(error) => return Err(error),
    };
    let mut there = Vec::new();
    walk(dir, &PathBuf::new(), &mut there)?;
    there.sort();
    // The embedded example writes into a folder of its own inside the default one: ours as well, if nothing foreign is in it.
    let nested: Vec<String> =
        there.iter().filter_map(|path| path.strip_suffix(MARKER)).filter(|folder| !folder.is_empty()).map(str::to_owned).collect();
    for folder in &nested {
        refuse_foreign(&dir.join(folder))?;
    }
    let own = |path: &String| ours.contains(path) || nested.iter().any(|folder| path.starts_with(folder.as_str()));
    let foreign: Vec<&String> = there.iter().filter(|path| !own(path)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    let named: Vec<String> = foreign.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
    let more = if foreign.len() > NAMED { format!(" and {} more", foreign.len() - NAMED) } else { String::new() };
    let message = format!(
        "`{}` holds files that gpuplan did not write: {}{more}; move them or choose another output folder",
        dir.display(),
        named.join(", ")
    );
    Err(fault(ErrorKind::AlreadyExists, message))
}

/// Paths that a marker lists, itself included; none when it is not one of ours.
fn listed(text: &str) -> BTreeSet<String> {
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return BTreeSet::new();
    }
    lines.map(str::to_owned).chain([MARKER.to_owned()]).collect()
}

/// Files (and links) below a folder, relative, with `/`.
fn walk(root: &Path, relative: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(relative))? {
        let entry = entry?;
        let path = relative.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(root, &path, found)?;
        } else {
            let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            found.push(parts.join("/"));
        }
    }
    Ok(())
}

/// Writes the new folder and puts it on the disk.
fn fill(new: &Path, artifacts: &[Artifact], before: &mut dyn FnMut(Step) -> io::Result<()>) -> io::Result<()> {
    fs::create_dir(new)?;
    let mut folders = BTreeSet::from([new.to_owned()]);
    for (i, artifact) in artifacts.iter().enumerate() {
        before(Step::File(i))?;
        let path = new.join(&artifact.path);
        let inside = path.ancestors().skip(1).take_while(|folder| *folder != new);
        folders.extend(inside.map(Path::to_owned));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        create(&path, &artifact.contents)?;
    }
    let paths: BTreeSet<&str> = artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    let mut marker = format!("{TITLE}\n");
    for path in paths {
        marker.push_str(path);
        marker.push('\n');
    }
    create(&new.join(MARKER), &marker)?;
    folders.iter().try_for_each(|folder| sync(folder))
}

fn create(path: &Path, contents: &str) -> io::Result<()> {
    // `create_new`: on a file system without case two paths may be one file.
    let mut file = File::create_new(path)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()
}

/// Puts a folder's entries on the disk; only Unix opens folders.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;

    fn artifacts(version: &str, paths: &[&str]) -> Vec<Artifact> {
        paths.iter().map(|p| Artifact { path: (*p).to_owned(), contents: format!("{version} {p}\n") }).collect()
    }

    /// Path and text of every file below a folder, siblings included.
    fn everything(root: &Path) -> Vec<(String, String)> {
        let mut paths = Vec::new();
        walk(root, &PathBuf::new(), &mut paths).unwrap();
        paths.sort();
        paths.into_iter().map(|p| (p.clone(), fs::read_to_string(root.join(&p)).unwrap())).collect()
    }

    #[test]
    fn a_folder_is_written_and_replaced() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("deep/out");
        write_all(&dir, &artifacts("1", &["a", "b/c", "b/d"])).unwrap();
        write_all(&dir, &artifacts("2", &["a", "e/f"])).unwrap();
        let texts = [(".gpuplan", "gpuplan/output/v1\na\ne/f\n"), ("a", "2 a\n"), ("e/f", "2 e/f\n")];
        let expected: Vec<_> = texts.iter().map(|(p, t)| (format!("deep/out/{p}"), (*t).to_owned())).collect();
        assert_eq!(everything(root.path()), expected);
    }

    #[test]
    fn a_fault_at_any_step_leaves_what_was_there() {
        for fatal in [Step::File(0), Step::File(1), Step::OldAside, Step::NewIn] {
            let root = tempfile::tempdir().unwrap();
            let dir = root.path().join("out");
            write_all(&dir, &artifacts("1", &["a", "b/c"])).unwrap();
            let before = everything(root.path());
            let mut fail = |step| if step == fatal { Err(io::Error::other("disk full")) } else { Ok(()) };
            let error = write_with(&dir, &artifacts("2", &["a", "x"]), &mut fail).unwrap_err();
            assert_eq!(error.to_string(), "disk full");
            assert_eq!(everything(root.path()), before, "after a fault at {fatal:?}");
        }
    }

    #[test]
    fn a_real_fault_half_way_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("out");
        write_all(&dir, &artifacts("1", &["a"])).unwrap();
        let before = everything(root.path());
        // `b` cannot be a file and a folder.
        assert!(write_all(&dir, &artifacts("2", &["a", "b", "b/c"])).is_err());
        assert_eq!(everything(root.path()), before);
    }

    #[test]
    fn a_first_write_that_fails_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let mut fail = |step| if step == Step::NewIn { Err(io::Error::other("no")) } else { Ok(()) };
        assert!(write_with(&root.path().join("out"), &artifacts("1", &["a"]), &mut fail).is_err());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_killed_run_is_recovered_from() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("out");
        write_all(&dir, &artifacts("1", &["a"])).unwrap();
        // Killed between the renames: the old folder stands aside and nothing has its name.
        fs::rename(&dir, root.path().join(".out.gpuplan-old")).unwrap();
        let mut fail = |step| if step == Step::File(0) { Err(io::Error::other("no")) } else { Ok(()) };
        assert!(write_with(&dir, &artifacts("2", &["a"]), &mut fail).is_err());
        assert_eq!(fs::read_to_string(dir.join("a")).unwrap(), "1 a\n");
    }

    #[test]
    fn foreign_files_are_refused_and_kept() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("out");
        fs::create_dir(&dir).unwrap();
        write_all(&dir, &artifacts("1", &["a"])).unwrap();
        fs::create_dir(dir.join("mine")).unwrap();
        fs::write(dir.join("mine/state"), "precious").unwrap();
        let before = everything(root.path());
        let error = write_all(&dir, &artifacts("2", &["a"])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("`mine/state`"), "{error}");
        assert_eq!(everything(root.path()), before);
    }

    #[test]
    fn a_file_in_the_way_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "text").unwrap();
        assert_eq!(write_all(&file, &[]).unwrap_err().kind(), ErrorKind::AlreadyExists);
        // Below a file nothing can be written, whoever runs the test (file modes do not stop root).
        assert!(write_all(&file.join("out"), &artifacts("1", &["a"])).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "text");
    }

    #[test]
    fn paths_stay_inside() {
        let root = tempfile::tempdir().unwrap();
        for path in ["../a", "/a", "", "a/../../b", ".gpuplan", "a\\b", "./a", "a\nb"] {
            let error = write_all(&root.path().join("out"), &artifacts("1", &[path])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path:?}");
        }
        let twice = write_all(&root.path().join("out"), &artifacts("1", &["a", "a"])).unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::InvalidInput);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
